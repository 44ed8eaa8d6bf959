# LOOKALIKE_SANITIZE=address,undefined or thread: for the C++ tests.
set(LOOKALIKE_SANITIZE "" CACHE STRING "Sanitizers to build with")
if(LOOKALIKE_SANITIZE)
  add_compile_options(-fsanitize=${LOOKALIKE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LOOKALIKE_SANITIZE})
endif()
