# folder.cmake - one static library per folder.
#
# sendyard_folder(NAME dep...) makes the library NAME of all .c files of the
# current folder but main.c, and links it to the libraries named. sendyard_flags
# comes with it.
function(sendyard_folder name)
    file(GLOB sources CONFIGURE_DEPENDS *.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    if(NOT sources)
        add_library(${name} INTERFACE)
        return()
    endif()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC sendyard_flags ${ARGN})
endfunction()

# sendyard_program(NAME source...): a program that ships.
function(sendyard_program name)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES SENDYARD_WHOLE ON)
endfunction()
