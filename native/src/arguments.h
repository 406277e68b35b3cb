// The named arrays that a stage is called with, checked for type and length before anything is computed.
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdexcept>
#include <string>

namespace nomoat {

// A packed matrix as JavaScript holds it: the tag says what `matrix` points to.
struct Handle {
  enum Kind { kInt8, kExact } kind;
  size_t in, out;
  void* matrix;
};

// What packInt8 or packExact returned; throws where it is anything else.
inline const Handle& handleOf(napi_env env, napi_value value, const std::string& name) {
  napi_valuetype type = napi_undefined;
  if (value) napi_typeof(env, value, &type);
  void* data = nullptr;
  if (type != napi_external || napi_get_value_external(env, value, &data) != napi_ok)
    throw std::runtime_error("native stage: no packed matrix " + name);
  return *static_cast<Handle*>(data);
}

// A typed array of JavaScript; anything else has `typed` false.
struct TypedArray {
  bool typed = false;
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;

  TypedArray(napi_env env, napi_value value) {
    if (!value || napi_is_typedarray(env, value, &typed) != napi_ok || !typed) return;
    typed = napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok;
  }
};

class Arguments {
 public:
  Arguments(napi_env env, napi_value object) : env_(env), object_(object) {}

  // The array of this name; throws where it is missing, no Float32Array, or not of this length.
  float* floats(const std::string& name, size_t length) const {
    float* found = optional(name, length);
    if (!found) throw std::runtime_error("native stage: no array " + name);
    return found;
  }

  // The same, or null where there is none.
  float* optional(const std::string& name, size_t length) const {
    const TypedArray array(env_, get(name));
    if (!array.typed) return nullptr;
    if (array.type != napi_float32_array || array.length != length)
      throw std::runtime_error("native stage: " + name + " is no Float32Array of " + std::to_string(length));
    return static_cast<float*>(array.data);
  }

  // The Int32Array of this name and its length.
  const int32_t* integers(const std::string& name, size_t& length) const {
    const TypedArray array(env_, get(name));
    if (!array.typed || array.type != napi_int32_array) throw std::runtime_error("native stage: " + name + " is no Int32Array");
    length = array.length;
    return static_cast<const int32_t*>(array.data);
  }

  // The packed matrix of this name.
  template <class Matrix>
  const Matrix& matrix(const std::string& name, Handle::Kind kind, size_t in, size_t out) const {
    const Handle& handle = handleOf(env_, get(name), name);
    if (handle.kind != kind || handle.in != in || handle.out != out)
      throw std::runtime_error("native stage: " + name + " is packed otherwise");
    return *static_cast<Matrix*>(handle.matrix);
  }

 private:
  napi_value get(const std::string& name) const {
    napi_value value;
    return napi_get_named_property(env_, object_, name.c_str(), &value) == napi_ok ? value : nullptr;
  }

  napi_env env_;
  napi_value object_;
};

}  // namespace nomoat
