"""A place on the network: which URLs are read, and how they are shown without what is secret in them.

Source: submission.md, "Behind a URL".
"""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from vadbench.errors import UsageError, quoted

_LONGEST_URL = 4000
_EXPECTED = "s3://BUCKET/PATH, or https:// with a host and the path of a zip"


@dataclass(frozen=True)
class RemotePlace:
    """URL of a submission, checked; picklable.

    Attributes
    ----------
    url : str
        As it was given, with whatever is secret in it.
    shown : str
        Without user, password, query and fragment: what messages say.
    opening : str
        Names this opening of the submission. Workers that get the same one share what they know of the place; who
        opens the submission again looks again.
    """

    url: str = field(repr=False)
    shown: str
    opening: str = field(repr=False)

    @property
    def is_s3(self) -> bool:
        """Whether it is an object store, which can list what it holds."""
        return self.url[:3].lower() == "s3:"

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """Bucket and key, without a slash at the end of it, of a place in an object store."""
        bucket, _, key = self.url[len("s3://") :].partition("/")
        return bucket, key.rstrip("/")


def remote_place(url: str) -> RemotePlace:
    """Place of a URL.

    Raises
    ------
    UsageError
        U138 if URLs of this kind are not read.
    """
    scheme = url.partition("://")[0].lower()
    # Nothing of a URL that is not understood is printed: what is secret in it cannot be told from the rest.
    if not url.isprintable() or " " in url or len(url) > _LONGEST_URL:
        raise _refused(f"a URL of {len(url)} characters, with spaces or signs that cannot be printed, or too long")
    if scheme == "s3":
        return _s3_place(url)
    if scheme in ("https", "http"):
        return _web_place(url)
    raise _refused(quoted(f"{scheme}://"), hint="download it and give the path of the folder or zip")


def is_allowed_address(url: str, *, loopback: bool = True) -> bool:
    """Whether an address on the web may be asked: over TLS, or on this machine where ``loopback`` allows that."""
    if is_on_this_machine(url):
        return loopback and urlsplit(url).scheme in ("https", "http")
    try:
        return urlsplit(url).scheme == "https"
    except ValueError:
        return False


def is_on_this_machine(url: str) -> bool:
    """Whether the host of an address is a loopback."""
    try:
        return _is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _s3_place(url: str) -> RemotePlace:
    # Not taken apart as a URL: a key may hold any sign. What follows a question mark is shown to nobody all the same.
    place = url[len("s3://") :]
    bucket, _, key = place.partition("/")
    if not bucket or "@" in bucket or ":" in bucket:
        raise _refused(
            "no bucket" if not bucket else "a user or a port before the path",
            hint="credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE …), the address of a service "
            "other than AWS from AWS_ENDPOINT_URL",
        )
    if "\\" in key or any(part in ("", ".", "..") for part in key.rstrip("/").split("/")[1:]):
        raise _refused("a path that is not canonical")
    return RemotePlace(url, f"s3://{place.partition('?')[0].rstrip('/')}", uuid.uuid4().hex)


def _web_place(url: str) -> RemotePlace:
    try:
        parts = urlsplit(url)
        shown = _without_secrets(parts)
    except ValueError:
        raise _refused("a URL that cannot be read") from None
    if not parts.hostname:
        raise _refused("no host")
    if not is_allowed_address(url):
        raise _refused(
            shown,
            hint="http:// is read from this machine only (localhost): anybody on the way could change what is scored",
        )
    return RemotePlace(parts._replace(fragment="").geturl(), shown, uuid.uuid4().hex)


def _without_secrets(parts: SplitResult) -> str:
    host = parts.hostname or ""
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.removesuffix(".") == "localhost"


def _refused(got: str, hint: str = "") -> UsageError:
    return UsageError("U138", "URLs of this kind are not read", expected=_EXPECTED, got=got, hint=hint)
