#pragma once
#include "../opencv_modules.h"
