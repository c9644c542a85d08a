#pragma once
// libphonenumber is C++; CPhoneNumber gives it a C face. This module only names the library and its packages.
