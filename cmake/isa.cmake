# The only place where instruction-set flags are written. Each kernels/table_<isa>.cpp is compiled for its own
# instruction set and chosen at run time; everything else is compiled for the baseline.
function(lookalike_isa_flags target)
  # Results must not depend on whether the compiler fuses a multiply and an add.
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  # Kernels are always optimised, and drag in no unwinding symbols.
  set(kernel_flags -O3 -fno-exceptions -fno-asynchronous-unwind-tables)
  if(MINGW AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # On Windows GCC spills wide registers to a stack that is aligned to 16 bytes, by instructions that want more (GCC
    # bug 54412).
    list(APPEND kernel_flags -Wa,-muse-unaligned-vector-move)
  endif()
  set_source_files_properties(cpp/kernels/table_scalar.cpp PROPERTIES COMPILE_OPTIONS "${kernel_flags}")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    target_compile_options(${target} PUBLIC -march=x86-64-v2)
    set_source_files_properties(cpp/kernels/table_avx2.cpp PROPERTIES COMPILE_OPTIONS
      "-march=x86-64-v3;${kernel_flags}")
    # GCC 12's own AVX-512 header raises false alarms about its undefined registers.
    set(false_alarms)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      set(false_alarms -Wno-uninitialized -Wno-maybe-uninitialized)
    endif()
    set_source_files_properties(cpp/kernels/table_avx512.cpp PROPERTIES COMPILE_OPTIONS
      "-march=x86-64-v4;-mavx512vnni;-mavx512vpopcntdq;-mprefer-vector-width=512;${false_alarms};${kernel_flags}")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
    set_source_files_properties(cpp/kernels/table_neon.cpp PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+dotprod+fp16;${kernel_flags}")
  endif()
endfunction()
