"""HTTP to cameras: one deadline, a byte cap, both kinds of login."""

from __future__ import annotations

CODES = {
    "timeout": (
        "The camera did not answer in time.",
        "is the camera overloaded? raise its `timeout` if it is only slow",
    ),
    "refused": (
        "The camera refused the connection: it may be off, or another port is meant.",
        "correct this camera's address and port; is its web interface on?",
    ),
    "unreachable": (
        "The camera could not be reached.",
        "correct this camera's address; is it plugged in and on this network?",
    ),
    "unresolvable": (
        "The camera's name is not known in the network.",
        "use the camera's IP address, or mend the name service",
    ),
    "disconnected": ("The camera hung up without an answer.", "restart the camera: that helps most often"),
    "network": ("The connection to the camera failed.", "look at the network between the two"),
    "not_http": (
        "Something answered that is no web camera: the port may be wrong.",
        "correct this camera's port",
    ),
    "tls_failed": (
        "No secure connection to the camera came about.",
        "set `legacy_tls` if the camera is old, or use http",
    ),
    "certificate_refused": (
        "The camera's certificate is not trusted.",
        "give it with `ca_file`, or set `verify: false`",
    ),
    "login_refused": (
        "The camera did not accept user name and password.",
        "correct this camera's username and password; wait if it locks accounts after wrong tries",
    ),
    "wrong_address": (
        "There is no picture at the configured address of the camera.",
        "compare this camera's kind, preset or url with its manual",
    ),
    "camera_error": ("The camera could not take a picture at that moment.", "restart the camera"),
    "unexpected_status": (
        "The camera answered with something unexpected.",
        "compare this camera's kind, preset or url with its manual",
    ),
    "empty": ("The camera sent nothing.", "restart the camera"),
    "not_a_picture": (
        "What the camera sent is not a picture.",
        "compare this camera's kind, preset or url with its manual",
    ),
    "truncated": ("The picture broke off half way.", "look at the network; try a smaller picture"),
    "too_large": (
        "The picture is larger than the limit allows.",
        "raise this camera's `max_bytes`, or choose a smaller picture in it",
    ),
}
"""Code -> what happened, and what to do about it."""
