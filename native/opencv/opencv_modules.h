/*
 * Of OpenCV's modules, those Eyeline uses: @u4/opencv4nodejs compiles what is named here and nothing else. It stands
 * before the add-on's own file of that name, which asks the system's OpenCV what it has (forty modules on Debian), and
 * before OpenCV's opencv2/opencv_modules.hpp. opencv-view.sh says which libraries are linked.
 */
#pragma once
#define HAVE_OPENCV_CORE
#define HAVE_OPENCV_IMGCODECS
#define HAVE_OPENCV_IMGPROC
#define HAVE_OPENCV_VIDEOIO
/* The add-on's own name for reading and writing pictures and videos, which it ties to highgui (see highgui.hpp). */
#define HAVE_IO
