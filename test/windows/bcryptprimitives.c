// ProcessPrng for wine before 9, which lacks this library of Windows: what is compiled from Rust asks it for random numbers (test/windows/run.mjs).
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
