# mortise_add_plugin(<kind>-<name> SOURCES <file>... [LIBS <library>...] [PROVIDES <name>...])
#
# Builds <kind>-<name>.so, which exports mortise_plugin_entry and nothing else. The same call works
# inside the Mortise tree and in a plugin's own repository after find_package(Mortise), where a plain
# <name> will do.
#
# Inside the tree it also makes <kind>-<name>.builtin.o from the same sources, whose only global is
# <kind>_<name>_LTX_mortise_plugin_entry: the static build and the simulator link it. PROVIDES names
# the implementations (default <name>); MORTISE_PLUGINS chooses among plugins by these names.
include(GNUInstallDirs)
set(MORTISE_PLUGIN_INSTALL_DIR "${CMAKE_INSTALL_LIBDIR}/mortise/plugins" CACHE PATH
    "Where plugins are installed, below the prefix")
set(_mortise_cmake_dir "${CMAKE_CURRENT_LIST_DIR}")

function(_mortise_builtin name sources libs)
  string(REPLACE "-" "_" symbol ${name})
  add_library(${name}_objects OBJECT ${sources})
  target_link_libraries(${name}_objects PRIVATE Mortise::SDK ${libs})
  target_compile_definitions(${name}_objects PRIVATE MORTISE_STATIC_NAME=${symbol})
  set_target_properties(${name}_objects PROPERTIES
    C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  mortise_warnings(${name}_objects)
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/${name}.whole.o)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}.builtin.o)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_LINKER} -r $<TARGET_OBJECTS:${name}_objects> -o ${whole}
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=${symbol}_LTX_mortise_plugin_entry ${whole} ${out}
    DEPENDS ${name}_objects $<TARGET_OBJECTS:${name}_objects>
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name}_builtin_object DEPENDS ${out})
  add_library(${name}_builtin INTERFACE)
  add_dependencies(${name}_builtin ${name}_builtin_object)
  target_link_libraries(${name}_builtin INTERFACE ${out} ${libs})
  set_property(GLOBAL APPEND PROPERTY MORTISE_BUILTINS ${name})
endfunction()

function(mortise_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 P "" "" "SOURCES;LIBS;PROVIDES")
  if(COMMAND mortise_warnings AND NOT name MATCHES "^[a-z]+-[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "${name}: a plugin is named <kind>-<name>, in lower case")
  elseif(NOT name MATCHES "^([a-z]+-)?[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "${name}: a plugin is named <name> or <kind>-<name>, in lower case")
  endif()
  if(NOT P_PROVIDES)
    string(REGEX REPLACE "^[a-z]+-" "" P_PROVIDES ${name})
  endif()
  if(MORTISE_PLUGINS)
    set(wanted OFF)
    foreach(one IN LISTS P_PROVIDES)
      if(one IN_LIST MORTISE_PLUGINS)
        set(wanted ON)
      endif()
    endforeach()
    if(NOT wanted)
      return()
    endif()
  endif()
  if(COMMAND mortise_warnings)
    _mortise_builtin(${name} "${P_SOURCES}" "${P_LIBS}")
    if(MORTISE_STATIC)
      return()
    endif()
  endif()
  add_library(${name} MODULE ${P_SOURCES})
  target_link_libraries(${name} PRIVATE Mortise::SDK ${P_LIBS})
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden)
  target_link_options(${name} PRIVATE -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,--build-id
    "-Wl,--version-script=${_mortise_cmake_dir}/mortise-plugin.map")
  if(NOT "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_DEBUG}" MATCHES "fsanitize")
    target_link_options(${name} PRIVATE -Wl,-z,defs) # sanitizers leave their runtime undefined
  endif()
  if(COMMAND mortise_warnings)
    mortise_warnings(${name})
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION ${MORTISE_PLUGIN_INSTALL_DIR})
endfunction()
