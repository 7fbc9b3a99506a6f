# Included by CMake before a project's own lists (CMAKE_PROJECT_INCLUDE) when ROS 2 comes from PyPI wheels.
#
# The wheels' exported targets carry the include folders of the machine that built them (/opt/python/...). Point them to
# this interpreter's instead; no wheel is modified.
function(_point_wheel_targets_to_this_python)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(includes ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(includes MATCHES "/opt/python/")
      list(FILTER includes EXCLUDE REGEX "^/opt/python/")
      list(APPEND includes ${Python3_INCLUDE_DIRS} ${Python3_NumPy_INCLUDE_DIRS})
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${includes}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL _point_wheel_targets_to_this_python)
