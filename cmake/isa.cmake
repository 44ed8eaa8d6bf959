# The only place where instruction-set flags are written. Each kernels/table_<isa>.cpp is compiled for its own
# instruction set and chosen at run time; everything else is compiled for the baseline.
function(lookalike_isa_flags target)
  # Results must not depend on whether the compiler fuses a multiply and an add.
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    target_compile_options(${target} PUBLIC -march=x86-64-v2)
    set_source_files_properties(cpp/kernels/table_avx2.cpp PROPERTIES COMPILE_OPTIONS "-march=x86-64-v3")
    set_source_files_properties(cpp/kernels/table_avx512.cpp PROPERTIES COMPILE_OPTIONS
      "-march=x86-64-v4;-mavx512vnni;-mavx512vpopcntdq;-mprefer-vector-width=512")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
    set_source_files_properties(cpp/kernels/table_neon.cpp PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+dotprod+fp16")
  endif()
endfunction()
