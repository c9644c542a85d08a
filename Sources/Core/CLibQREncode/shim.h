// Where there is no pkg-config the compiler's own search paths find the header.
#pragma once
#include <qrencode.h>
