#!/usr/bin/python3
"""RTSP server that plays H.264 files for ever, as a camera would: for the demo and the tests.

The video of each file is read once and sent as it is (never encoded again), paced by the clock; at the end it starts
again without a break and with time stamps that go on. All clients of a stream see the same moment.
Prints `listening <port>` once it answers. Ends on SIGTERM and SIGINT.
"""

import argparse
import signal
import sys
import threading
import time

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: F401 (GstApp types appsrc)
except (ImportError, ValueError) as error:
    print(f"missing: {error}", file=sys.stderr)
    sys.exit(69)

ROLE = "viewer"
CAPS = "video/x-h264,stream-format=byte-stream,alignment=au"
# The parser has put the parameter sets before every keyframe. The payloader would put them before every slice of it,
# which FFmpeg takes for a new frame.
PAYLOADER = f"( appsrc name=source is-live=true format=time block=false caps={CAPS} ! rtph264pay name=pay0 pt=96 )"


class Clip:
    """The access units of a file's video: (bytes, presentation time, decode time, is a keyframe), times in ns."""

    def __init__(self, path):
        pipeline = Gst.parse_launch(
            "filesrc name=file ! parsebin name=parse ! h264parse config-interval=-1 ! "
            f"{CAPS} ! appsink name=sink sync=false max-buffers=64"
        )
        pipeline.get_by_name("file").set_property("location", path)
        sink = pipeline.get_by_name("sink")
        self.units = []
        pipeline.set_state(Gst.State.PLAYING)
        try:
            while (sample := sink.emit("try-pull-sample", 10 * Gst.SECOND)) is not None:
                self.units.append(self._unit(sample.get_buffer()))
            failure = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
            if failure or not self.units:
                reason = failure.parse_error()[0].message if failure else "no H.264 video in it"
                raise RuntimeError(f"{path}: {reason}")
        finally:
            pipeline.set_state(Gst.State.NULL)
        self._retime()

    @staticmethod
    def _unit(buffer):
        data = buffer.extract_dup(0, buffer.get_size())
        pts = buffer.pts if buffer.pts != Gst.CLOCK_TIME_NONE else None
        dts = buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else None
        return (data, pts, dts, not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT))

    def _retime(self):
        """Shifts the clip to begin at 0 and finds how long one round takes: the span and one frame more."""
        shown = sorted(pts for _, pts, _, _ in self.units if pts is not None)
        first = shown[0]
        frame = (shown[-1] - first) // (len(shown) - 1) if len(shown) > 1 else Gst.SECOND
        self.duration = shown[-1] - first + frame
        units = []
        for index, (data, pts, dts, key) in enumerate(self.units):
            decoded = dts - first if dts is not None else index * frame
            units.append((data, pts - first if pts is not None else decoded, decoded, key))
        # Pictures that are shown late are decoded before 0: start the round there, so that pacing never runs ahead.
        self.lead = -min(decoded for _, _, decoded, _ in units)
        self.units = units


class Player(threading.Thread):
    """Pushes a clip into one media's appsrc at its own pace until told to stop or the media is gone."""

    def __init__(self, clip, source):
        super().__init__(daemon=True)
        self.clip = clip
        self.source = source
        self.stopped = threading.Event()

    def run(self):
        start = time.monotonic_ns()
        offset = self.clip.lead
        while True:
            for data, pts, dts, key in self.clip.units:
                wait = start + offset + dts - time.monotonic_ns()
                if wait < -Gst.SECOND:  # Held up (the process was stopped): go on from now, as a camera would.
                    offset -= wait
                if self.stopped.wait(max(0, wait) / 1e9):
                    return
                buffer = Gst.Buffer.new_wrapped(data)
                buffer.pts = offset + pts
                buffer.dts = offset + dts
                if not key:
                    buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
                if self.source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
            offset += self.clip.duration


class Factory(GstRtspServer.RTSPMediaFactory):
    """One pipeline for all clients of a stream, started with the first and ended with the last."""

    def __init__(self, clip):
        super().__init__()
        self.clip = clip
        self.set_launch(PAYLOADER)
        self.set_shared(True)
        self.set_latency(0)

    def do_configure(self, media):
        player = Player(self.clip, media.get_element().get_by_name("source"))
        media.connect("unprepared", lambda _: player.stopped.set())
        # The first data are asked for before the media is prepared: its description needs the stream's parameters.
        player.start()


def protect(server, factories, user, password):
    """Asks every client for `user` and `password` (basic authentication)."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
        permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
        factory.set_permissions(permissions)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--stream", action="append", required=True, metavar="NAME=FILE", help="may be repeated")
    parser.add_argument("--user", help="user name clients must give")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")
    return parser.parse_args()


def main():
    options = arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(options.address)
    server.set_service(str(options.port))
    factories = []
    for stream in options.stream:
        name, _, path = stream.partition("=")
        try:
            factory = Factory(Clip(path))
        except (RuntimeError, GLib.Error) as error:
            print(f"stream {name}: {error}", file=sys.stderr)
            return 1
        server.get_mount_points().add_factory(f"/{name}", factory)
        factories.append(factory)
    if options.user:
        password = sys.stdin.readline().rstrip("\n") if options.password_stdin else ""
        protect(server, factories, options.user, password)
    if server.attach(None) == 0:
        print(f"cannot listen on {options.address}:{options.port}", file=sys.stderr)
        return 1
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    # Sessions of clients that died without saying so would be kept for ever.
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    print(f"listening {server.get_bound_port()}", flush=True)
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
