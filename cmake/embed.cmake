# couler_embed(target name namespace glob...): compiles files into the target as text. Declares, in
# generated/<name>.h, `std::span<const std::pair<std::string_view, std::string_view>> files()`:
# file stem and content, sorted by stem.
function(couler_embed target name namespace)
  set(globs ${ARGN})
  list(TRANSFORM globs PREPEND ${PROJECT_SOURCE_DIR}/)
  file(GLOB inputs CONFIGURE_DEPENDS ${globs})
  set(out ${CMAKE_BINARY_DIR}/generated/${name}_data.cpp)
  file(WRITE ${CMAKE_BINARY_DIR}/generated/${name}_data.h.new
"#pragma once
#include <span>
#include <string_view>
#include <utility>
namespace ${namespace} {
std::span<const std::pair<std::string_view, std::string_view>> files();
}
")
  file(COPY_FILE ${CMAKE_BINARY_DIR}/generated/${name}_data.h.new
       ${CMAKE_BINARY_DIR}/generated/${name}_data.h ONLY_IF_DIFFERENT)
  string(REPLACE ";" "|" joined "${inputs}")
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} "-DINPUTS=${joined}" -DOUT=${out} -DNAME=${name} -DNAMESPACE=${namespace}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_script.cmake
    DEPENDS ${inputs} ${PROJECT_SOURCE_DIR}/cmake/embed_script.cmake
    COMMENT "Embedding ${name}" VERBATIM)
  target_sources(${target} PRIVATE ${out})
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()
