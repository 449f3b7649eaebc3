# libcouler_arrow.so: Parquet, and Arrow files beyond our own, by Apache Arrow. Its libraries come
# from PyPI's wheel, pinned by its hash, fetched once when the project is configured. Without it
# (another processor, no network) everything else builds, and such files give an error that says so.
option(COULER_ARROW "build the module for Parquet and foreign Arrow files" ON)
set(COULER_PYARROW ${PROJECT_SOURCE_DIR}/build/pyarrow CACHE PATH "where pyarrow's wheel is unpacked")

function(couler_arrow)
  if(NOT COULER_ARROW OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    return()
  endif()
  if(NOT EXISTS ${COULER_PYARROW}/unpacked)
    find_package(Python3 COMPONENTS Interpreter)
    message(STATUS "Fetching Arrow's libraries")
    file(REMOVE_RECURSE ${COULER_PYARROW})
    execute_process(
      COMMAND ${Python3_EXECUTABLE} -m pip install --quiet --retries 1 --disable-pip-version-check --no-deps
              --require-hashes --only-binary=:all: --python-version 3.11
              --platform manylinux_2_28_x86_64 --target ${COULER_PYARROW}
              -r ${PROJECT_SOURCE_DIR}/cmake/pyarrow.txt
      TIMEOUT 300 RESULT_VARIABLE failed ERROR_VARIABLE problem)
    if(failed)
      string(REGEX MATCH "[^\n]*\n?$" problem "${problem}")
      message(STATUS "Arrow's libraries cannot be had, so Parquet is left out (-DCOULER_ARROW=OFF: do not try): ${failed} ${problem}")
      return()
    endif()
    file(TOUCH ${COULER_PYARROW}/unpacked)
  endif()
  set(root ${COULER_PYARROW}/pyarrow)
  file(GLOB libraries ${root}/libarrow.so.* ${root}/libparquet.so.* ${root}/libarrow_compute.so.*)
  add_library(couler_arrow MODULE ${PROJECT_SOURCE_DIR}/runtime/column/library/couler_arrow.cpp
              ${PROJECT_SOURCE_DIR}/runtime/column/library/couler_parquet.cpp)
  target_include_directories(couler_arrow PRIVATE ${PROJECT_SOURCE_DIR})
  target_include_directories(couler_arrow SYSTEM PRIVATE ${root}/include)
  target_link_libraries(couler_arrow PRIVATE ${libraries} couler_warnings)
  # As it lies beside the command: bin/couler, lib/couler/libcouler_arrow.so.
  set_target_properties(couler_arrow PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/couler
    CXX_VISIBILITY_PRESET hidden INSTALL_RPATH "$ORIGIN")
  install(TARGETS couler_arrow LIBRARY DESTINATION lib/couler)
  install(FILES ${libraries} DESTINATION lib/couler)
endfunction()
