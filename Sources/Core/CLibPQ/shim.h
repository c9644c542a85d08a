#pragma once
// Debian keeps this header in a folder of its own, which only pkg-config would tell the compiler; it need not be there.
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif
