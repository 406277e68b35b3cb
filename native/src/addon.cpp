// What JavaScript sees: pack a matrix, run a stage, say what this is. Errors become exceptions of JavaScript; nothing is computed before
// all arrays are checked.
#include <exception>

#include "arguments.h"
#include "frozen.h"
#include "stages.h"

namespace nomoat {

// Calls body, which returns a napi_value, and turns what it throws into an exception of JavaScript.
template <class Body>
static napi_value guarded(napi_env env, Body&& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

template <size_t kCount>
struct Call {
  napi_value values[kCount];
  Call(napi_env env, napi_callback_info info) {
    size_t count = kCount;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
    if (count < kCount) throw std::runtime_error("native: too few arguments");
  }
};

static double number(napi_env env, napi_value value) {
  double found;
  if (napi_get_value_double(env, value, &found) != napi_ok) throw std::runtime_error("native: no number");
  return found;
}

static double numberAt(napi_env env, napi_value object, const char* name) {
  napi_value value;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) throw std::runtime_error("native: no shape");
  return number(env, value);
}

static Shape shapeOf(napi_env env, napi_value object) {
  const auto size = [&](const char* name) { return static_cast<size_t>(numberAt(env, object, name)); };
  Shape s{size("modelWidth"), size("queryWidth"), size("keyWidth"), size("feedForward"), size("headDim"), size("rank"), size("vocabulary"),
          static_cast<float>(numberAt(env, object, "epsilon")), static_cast<int>(size("threads")),
          size("dropout") != 0, size("biases") != 0, size("headNorms") != 0, static_cast<unsigned>(size("targets"))};
  for (const size_t width : {s.modelWidth, s.queryWidth, s.keyWidth, s.feedForward, s.headDim})
    if (width == 0 || width % kLanes != 0) throw std::runtime_error("native: a width is no multiple of 16");
  return s;
}

template <class Kind>
static void release(napi_env, void* data, void*) {
  auto* handle = static_cast<Handle*>(data);
  delete static_cast<Frozen<Kind>*>(handle->matrix);
  delete handle;
}

template <class Kind>
static napi_value pack(napi_env env, Handle::Kind kind, napi_value array, size_t in, size_t out, napi_value scales) {
  bool typed = false;
  napi_typedarray_type type;
  size_t length;
  void* data;
  napi_is_typedarray(env, array, &typed);
  if (typed) napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr);
  constexpr bool int8 = std::is_same_v<Kind, Int8>;
  if (!typed || length != in * out || type != (int8 ? napi_int8_array : napi_float32_array) || in % kLanes || out % kLanes)
    throw std::runtime_error("native: no matrix of these sizes");
  const auto* values = static_cast<const typename Kind::Weight*>(data);
  // Int8 values come as [in, out], float32 ones as [out, in].
  const size_t byIn = int8 ? out : 1, byOut = int8 ? 1 : in;
  auto* matrix = new Frozen<Kind>{{values, byIn, byOut, in, out}, {values, byOut, byIn, out, in}, {}, {}};
  if (int8) {
    void* from;
    typed = false;
    napi_is_typedarray(env, scales, &typed);
    if (typed) napi_get_typedarray_info(env, scales, &type, &length, &from, nullptr, nullptr);
    if (!typed || type != napi_float32_array || length != out) {
      delete matrix;
      throw std::runtime_error("native: no scales of these columns");
    }
    std::memcpy(matrix->scale.take(out), from, out * sizeof(float));
    for (size_t n = 0; n < out; n++) matrix->logScale.take(out)[n] = std::log(matrix->scale.data()[n]);
  }
  auto* handle = new Handle{kind, in, out, matrix};
  napi_value external;
  napi_create_external(env, handle, release<Kind>, nullptr, &external);
  return external;
}

// packInt8(values, in, out, scales) and packExact(values, in, out, null) -> a packed matrix.
static napi_value packInt8(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Call<4> call(env, info);
    return pack<Int8>(env, Handle::kInt8, call.values[0], number(env, call.values[1]), number(env, call.values[2]), call.values[3]);
  });
}
static napi_value packExact(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Call<4> call(env, info);
    return pack<Exact>(env, Handle::kExact, call.values[0], number(env, call.values[1]), number(env, call.values[2]), call.values[3]);
  });
}

template <class Kind>
static void runStage(const std::string& name, const Arguments& arguments, const Shape& shape, size_t rows) {
  if (name == "before.forward") return Stages<Kind>::beforeForward(arguments, shape, rows);
  if (name == "before.backward") return Stages<Kind>::beforeBackward(arguments, shape, rows);
  if (name == "after.forward") return Stages<Kind>::afterForward(arguments, shape, rows);
  if (name == "after.backward") return Stages<Kind>::afterBackward(arguments, shape, rows);
  if (name == "attention.forward") return Attention::forward(arguments, shape, rows);
  if (name == "attention.backward") return Attention::backward(arguments, shape, rows);
  if (name == "head") return Stages<Kind>::head(arguments, shape, rows);
  throw std::runtime_error("native: no stage " + name);
}

// run(stage, int8?, shape, rows, arrays)
static napi_value run(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<5> call(env, info);
    char name[32];
    size_t length;
    bool int8 = false;
    if (napi_get_value_string_utf8(env, call.values[0], name, sizeof name, &length) != napi_ok ||
        napi_get_value_bool(env, call.values[1], &int8) != napi_ok)
      throw std::runtime_error("native: no stage");
    const Shape shape = shapeOf(env, call.values[2]);
    const auto rows = static_cast<size_t>(number(env, call.values[3]));
    const Arguments arguments(env, call.values[4]);
    if (int8) runStage<Int8>(name, arguments, shape, rows);
    else runStage<Exact>(name, arguments, shape, rows);
    return nullptr;
  });
}

}  // namespace nomoat

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"packInt8", nomoat::packInt8}, {"packExact", nomoat::packExact}, {"run", nomoat::run}};
  for (const auto& [name, callback] : functions) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
