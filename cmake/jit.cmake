# libcouler_jit.so: all of LLVM that there is in a build, loaded when an expression is first compiled.
# Nothing links it. LLVM lies inside, hidden, so that starting it takes 5 ms and not 18.
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/jit/llvm/*.cpp)
add_library(couler_jit_llvm MODULE ${sources} ${PROJECT_SOURCE_DIR}/runtime/jit/schedule.cpp)
target_include_directories(couler_jit_llvm PRIVATE ${PROJECT_SOURCE_DIR})
target_include_directories(couler_jit_llvm SYSTEM PRIVATE ${COULER_LLVM_ROOT}/include)
set_target_properties(couler_jit_llvm PROPERTIES OUTPUT_NAME couler_jit
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/couler)
target_link_options(couler_jit_llvm PRIVATE
  -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,--gc-sections -Wl,-z,defs
  -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/jit.map)
execute_process(
  COMMAND ${COULER_LLVM_ROOT}/bin/llvm-config --link-static --libs orcjit native passes
  OUTPUT_VARIABLE libraries OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(libraries UNIX_COMMAND "${libraries}")
target_link_directories(couler_jit_llvm PRIVATE ${COULER_LLVM_ROOT}/lib)
target_link_libraries(couler_jit_llvm PRIVATE ${libraries} zstd z m ${CMAKE_DL_LIBS} Threads::Threads
  couler_warnings)
install(TARGETS couler_jit_llvm LIBRARY DESTINATION lib/couler)
