# embed_file.cmake - makes a C file with a function that gives the bytes of a file.
# cmake -DFILE=page.html -DOUT=page.c -DHEADER=live/page.h -DFUNCTION=sw_page_html -P embed_file.cmake
file(READ "${FILE}" digits HEX)
string(REGEX REPLACE "(................................................)" "\\1\n" list "${digits}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," list "${list}")
file(WRITE "${OUT}" "#include \"${HEADER}\"\nstatic const uint8_t bytes[] = {\n${list}\n};\n"
                    "struct sw_span ${FUNCTION}(void)\n{\n    return sw_span_make(bytes, sizeof(bytes));\n}\n")
