// What JavaScript sees: pack a matrix, run a stage, say what this is. Errors become exceptions of JavaScript; nothing is computed before
// all arrays are checked.
#include <algorithm>
#include <exception>
#include <memory>

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
  } catch (...) {
    napi_throw_error(env, nullptr, "native: what was thrown is no exception");
  }
  return nullptr;
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

// The memory of a typed array, or null where it is another kind or length.
static void* memoryOf(napi_env env, napi_value array, napi_typedarray_type wanted, size_t wantedLength) {
  const TypedArray found(env, array);
  return found.typed && found.type == wanted && found.length == wantedLength ? found.data : nullptr;
}

struct Sizes {
  size_t in, out;
  Sizes(napi_env env, napi_value in, napi_value out)
      : in(static_cast<size_t>(number(env, in))), out(static_cast<size_t>(number(env, out))) {
    if (this->in % kLanes || this->out % kLanes) throw std::runtime_error("native: no matrix of these sizes");
  }
};

// The matrix is JavaScript's from here on.
template <class Kind>
static napi_value handed(napi_env env, const Sizes& size, std::unique_ptr<Frozen<Kind>> matrix) {
  constexpr auto kind = std::is_same_v<Kind, Int8> ? Handle::kInt8 : Handle::kExact;
  auto handle = std::make_unique<Handle>(Handle{kind, size.in, size.out, matrix.get()});
  napi_value external;
  if (napi_create_external(env, handle.get(), release<Kind>, nullptr, &external) != napi_ok) throw std::runtime_error("native: no handle");
  handle.release(), matrix.release();
  return external;
}

// packInt8(values [in, out], in, out, scales [out], transposed [out, in] or null) -> a packed matrix, which lies in the arrays that it is made of:
// they are the kernels' from now on, and the caller sees to it that they last as long as the matrix is used. Without `transposed` the other direction is turned when it is wanted.
// What fails, fails before the first value is written over: the arrays are as they came, and can be packed again.
static napi_value packInt8(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    using Place = Panels<Int8>::Place;
    const Call<5> call(env, info);
    const Sizes size(env, call.values[1], call.values[2]);
    auto* values = static_cast<int8_t*>(memoryOf(env, call.values[0], napi_int8_array, size.in * size.out));
    auto* transposed = static_cast<int8_t*>(memoryOf(env, call.values[4], napi_int8_array, size.in * size.out));
    const void* scales = memoryOf(env, call.values[3], napi_float32_array, size.out);
    if (!values || !scales) throw std::runtime_error("native: no matrix of these sizes");
    auto owned = std::make_unique<Frozen<Int8>>(
        Frozen<Int8>{Panels<Int8>(size.in, size.out, Place::kOver),
                     Panels<Int8>(size.out, size.in, transposed ? Place::kOver : Place::kTurned), Array<float>(size.out), Array<float>(size.out)});
    // Kept for the next matrix: given back each time, it left a hole that was a little too small for the next one, a seventh of a 7B model's weights in all.
    thread_local Array<int8_t> kept;
    int8_t* scratch = kept.take(std::max(owned->forward.length(), owned->backward.length()));
    Frozen<Int8>& matrix = *owned;
    const napi_value external = handed(env, size, std::move(owned));
    std::memcpy(matrix.scale.data(), scales, size.out * sizeof(float));
    for (size_t n = 0; n < size.out; n++) matrix.logScale.data()[n] = logarithm(matrix.scale.data()[n]);
    const Plain<Int8> plain{values, size.out, 1, size.in, size.out};
    if (!transposed) matrix.backward.begin(plain.transposed());
    matrix.forward.arrange(plain, scratch);
    if (transposed) matrix.backward.arrange({transposed, size.in, 1, size.out, size.in}, scratch);
    else matrix.backward.turn(matrix.forward);
    return external;
  });
}

// moveInt8(packed, values): the matrix, packed without `transposed`, lies in `values` from now on, which hold what packInt8 made of the former ones.
// Throws where `out` is no multiple of 64: such a matrix has memory of its own.
static napi_value moveInt8(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Call<2> call(env, info);
    const auto& handle = handleOf(env, call.values[0], "matrix");
    const auto* values = static_cast<const int8_t*>(memoryOf(env, call.values[1], napi_int8_array, handle.in * handle.out));
    if (handle.kind != Handle::kInt8 || !values) throw std::runtime_error("native: no matrix of these sizes");
    auto& matrix = *static_cast<Frozen<Int8>*>(handle.matrix);
    if (matrix.forward.ownsMemory() || !matrix.backward.isTurned()) throw std::runtime_error("native: the matrix does not lie in one array");
    matrix.forward.moveTo(values);
    matrix.backward.turn(matrix.forward);
    return nullptr;
  });
}

// packExact(values [out, in], in, out) -> a packed matrix, in memory of its own for both directions.
static napi_value packExact(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    using Place = Panels<Exact>::Place;
    const Call<3> call(env, info);
    const Sizes size(env, call.values[1], call.values[2]);
    auto* values = static_cast<float*>(memoryOf(env, call.values[0], napi_float32_array, size.in * size.out));
    if (!values) throw std::runtime_error("native: no matrix of these sizes");
    auto matrix = std::make_unique<Frozen<Exact>>(
        Frozen<Exact>{Panels<Exact>(size.in, size.out, Place::kOwn), Panels<Exact>(size.out, size.in, Place::kOwn), {}, {}});
    const Plain<Exact> plain{values, 1, size.in, size.in, size.out};
    matrix->forward.arrange(plain, nullptr);
    matrix->backward.arrange(plain.transposed(), nullptr);
    return handed(env, size, std::move(matrix));
  });
}

// failArray(after): for tests of what happens where memory is short.
static napi_value failArray(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    arraysLeft = static_cast<int>(number(env, Call<1>(env, info).values[0]));
    return nullptr;
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
  } functions[] = {{"packInt8", nomoat::packInt8}, {"moveInt8", nomoat::moveInt8}, {"packExact", nomoat::packExact}, {"run", nomoat::run}, {"failArray", nomoat::failArray}};
  for (const auto& [name, callback] : functions) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
