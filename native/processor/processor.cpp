// What the processor has, for Windows, which tells it to native code alone. Compiled for any processor of its architecture, and asked before a
// binary that wants more is loaded (src/runtime/native/processor.ts). Names are those of Linux's /proc/cpuinfo.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <windows.h>
#endif

namespace nomoat {

// Words with spaces between them; 512 characters hold all that are known here.
struct Words {
  char text[512];
  size_t length = 0;
  void add(const char* word) {
    if (length > 0) text[length++] = ' ';
    const size_t more = std::strlen(word);
    std::memcpy(text + length, word, more);
    length += more;
  }
};

#if defined(__x86_64__)

struct Leaf {
  unsigned a = 0, b = 0, c = 0, d = 0;
  Leaf(unsigned leaf, unsigned subleaf) { __get_cpuid_count(leaf, subleaf, &a, &b, &c, &d); }
};

// Which registers the system keeps for each thread (XCR0).
static unsigned registersKept() {
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static void tell(Words& words) {
  constexpr unsigned kOsXsave = 1u << 27, kYmm = 0x6, kZmm = 0xE6, kTiles = 0x60000;
  const Leaf first(1, 0), seven(7, 0), sevenOne(7, seven.a >= 1 ? 1 : 0), extended(0x80000001, 0);
  const unsigned kept = first.c & kOsXsave ? registersKept() : 0;
  const auto has = [&](unsigned registers) { return (kept & registers) == registers; };
  const unsigned more = seven.a >= 1 ? sevenOne.a : 0;
  const struct {
    const char* name;
    unsigned word, bit, registers;
  } known[] = {
      {"sse4_2", first.c, 20, 0},          {"movbe", first.c, 22, 0},           {"fma", first.c, 12, kYmm},          {"avx", first.c, 28, kYmm},
      {"f16c", first.c, 29, kYmm},         {"bmi1", seven.b, 3, 0},             {"avx2", seven.b, 5, kYmm},          {"bmi2", seven.b, 8, 0},
      {"abm", extended.c, 5, 0},           {"avx512f", seven.b, 16, kZmm},      {"avx512dq", seven.b, 17, kZmm},     {"avx512cd", seven.b, 28, kZmm},
      {"avx512bw", seven.b, 30, kZmm},     {"avx512vl", seven.b, 31, kZmm},     {"avx512_vnni", seven.c, 11, kZmm},  {"avx512_bf16", more, 5, kZmm},
      {"avx_vnni", more, 4, kYmm},         {"amx_bf16", seven.d, 22, kTiles},   {"amx_tile", seven.d, 24, kTiles},   {"amx_int8", seven.d, 25, kTiles},
  };
  for (const auto& [name, word, bit, registers] : known)
    if (word >> bit & 1 && has(registers)) words.add(name);
}

#else

static void tell(Words& words) {
  words.add("asimd");
  constexpr DWORD kDotProduct = 43;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
  if (IsProcessorFeaturePresent(kDotProduct)) words.add("asimddp");
}

#endif

static napi_value flagsOf(napi_env env, napi_callback_info) {
  Words words;
  tell(words);
  napi_value text;
  napi_create_string_utf8(env, words.text, words.length, &text);
  return text;
}

}  // namespace nomoat

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "flags", NAPI_AUTO_LENGTH, nomoat::flagsOf, nullptr, &function);
  napi_set_named_property(env, exports, "flags", function);
  return exports;
}
