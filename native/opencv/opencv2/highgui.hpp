/*
 * Stands in for OpenCV's header of the same name. The add-on takes the codecs and the video reader through it, and
 * offers five functions of windows, for which it would have to be linked against highgui and Qt.
 */
#pragma once
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

namespace cv {
[[noreturn]] inline void refuseWindows() { CV_Error(Error::StsNotImplemented, "built without windows"); }
inline void imshow(const String &, InputArray) { refuseWindows(); }
inline int waitKey(int = 0) { refuseWindows(); }
inline int waitKeyEx(int = 0) { refuseWindows(); }
inline void destroyWindow(const String &) { refuseWindows(); }
inline void destroyAllWindows() { refuseWindows(); }
} // namespace cv
