# flags.cmake - how every C file of the project is compiled.
# Targets take these by linking the interface library sendyard_flags.
add_library(sendyard_flags INTERFACE)
target_include_directories(sendyard_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(sendyard_flags INTERFACE _GNU_SOURCE
    SENDYARD_VERSION="${PROJECT_VERSION}")
target_compile_options(sendyard_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wcast-qual -Wcast-align -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef
    -Wvla -Walloca -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference
    -Wdouble-promotion
    -fno-common -fno-strict-aliasing -fstack-protector-strong)
target_link_options(sendyard_flags INTERFACE -pie)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(sendyard_flags INTERFACE
        -Wduplicated-cond -Wduplicated-branches -Wlogical-op
        -Wjump-misses-init -ftrivial-auto-var-init=zero)
else()
    target_compile_options(sendyard_flags INTERFACE
        -Wcomma -Wunreachable-code -Wconditional-uninitialized -Wassign-enum)
endif()

if(SENDYARD_WERROR)
    target_compile_options(sendyard_flags INTERFACE -Werror)
endif()

if(SENDYARD_SANITIZE)
    target_compile_options(sendyard_flags INTERFACE
        -fsanitize=${SENDYARD_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(sendyard_flags INTERFACE
        -fsanitize=${SENDYARD_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(sendyard_flags INTERFACE
        -D_FORTIFY_SOURCE=2 -fstack-clash-protection)
    target_link_options(sendyard_flags INTERFACE -Wl,-z,relro,-z,now)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
        target_compile_options(sendyard_flags INTERFACE -fcf-protection)
    endif()
    # What ships is optimized as a whole (sendyard_program); tests link the
    # same objects as they are, which takes a fraction of the time.
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(sendyard_flags INTERFACE
            -flto=auto -ffat-lto-objects)
        target_link_options(sendyard_flags INTERFACE
            $<IF:$<BOOL:$<TARGET_PROPERTY:SENDYARD_WHOLE>>,-flto=auto,-fno-lto>)
    endif()
endif()

if(SENDYARD_CRASH_POINTS)
    target_compile_definitions(sendyard_flags INTERFACE SENDYARD_CRASH_POINTS)
endif()

if(SENDYARD_FUZZ)
    target_compile_options(sendyard_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
