"""Object storage with the interface of Amazon S3, through s3fs.

Credentials, region and endpoint are those of the environment, as botocore reads them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from vadbench.submission.remote_store import (
    Failure,
    Store,
    StoreError,
    TransientError,
    connection_failure,
    is_of_the_network,
    package,
    status_failure,
)

_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_CONNECTIONS = 16

_REFUSED = "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and at what they may list and read"
_ADDRESS = "look at AWS_ENDPOINT_URL and AWS_REGION"
_WITHOUT = (
    "no credentials were found, and the bucket is not public: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "AWS_PROFILE"
)
_LOCAL_FAILURES: dict[str, tuple[Failure, str, str]] = {
    "NoCredentialsError": (Failure.REFUSED, _WITHOUT, ""),
    "PartialCredentialsError": (Failure.REFUSED, "half of the credentials only", _REFUSED),
    "ProfileNotFound": (Failure.REFUSED, "AWS_PROFILE names a profile that is not there", ""),
    "ParamValidationError": (Failure.ABSENT, "a name that no bucket can have", ""),
    "RecursionError": (Failure.UNREACHABLE, "one redirect after the other", _ADDRESS),
}
"""What fails before a server is asked, by the name of the error."""

_TRANSIENT_CODES = frozenset({"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "InternalError"})
_REFUSING_CODES = frozenset({"ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "TokenRefreshRequired"})


class S3Store(Store):
    """Objects of a bucket whose keys begin with a prefix.

    Parameters
    ----------
    bucket : str
    key : str
        Of the object, or of the folder without a slash at its end; empty for the whole bucket.
    """

    def __init__(self, bucket: str, key: str) -> None:
        self._bucket, self._key = bucket, key
        self._lock = threading.Lock()
        self._is_anonymous = False
        self._system = self._new_system()

    def size(self) -> int:
        """Size of the object."""
        if not self._key:
            raise StoreError(Failure.ABSENT, "a bucket, which is no file")
        try:
            return int(self._called("head_object", Key=self._key)["ContentLength"])
        except StoreError as error:
            if error.failure is not Failure.ABSENT:
                # The answer to this request has no body, and so no reason in it; that to another one has.
                self._called("list_objects_v2", Prefix=self._key, MaxKeys=1)
            raise

    def read(self, name: str, start: int, stop: int) -> bytes:
        """Bytes of an object."""
        if start == stop:
            return b""
        key = "/".join(filter(None, (self._key, name)))
        data: bytes = self._attempted(lambda system: system.cat_file(f"{self._bucket}/{key}", start=start, end=stop))
        if len(data) != stop - start:
            raise StoreError(
                Failure.CHANGED, f"{len(data)} bytes instead of {stop - start}", "it was replaced while it was read"
            )
        return data

    def names(self, folder: str, *, below: bool) -> Iterator[tuple[str, int]]:
        """Names with their sizes, a page of up to 1000 at a time."""
        root = f"{self._key}/" if self._key else ""
        options = {"Prefix": f"{root}{folder}/" if folder else root, **({} if below else {"Delimiter": "/"})}
        token: dict[str, str] = {}
        while True:
            page = self._called("list_objects_v2", **options, **token)
            for found in page.get("CommonPrefixes", ()):
                yield found["Prefix"][len(root) :], 0
            for found in page.get("Contents", ()):
                # The marker of the folder itself, which some programs make.
                if found["Key"] != options["Prefix"] or found["Size"]:
                    yield found["Key"][len(root) :], int(found["Size"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _called(self, method: str, **arguments: Any) -> Any:
        return self._attempted(lambda system: system.call_s3(method, Bucket=self._bucket, **arguments))

    def _attempted(self, ask: Callable[[Any], Any]) -> Any:
        try:
            return self._tried(ask, self._system)
        except StoreError as error:
            if error.got != _WITHOUT:
                raise
        # Whoever has no credentials can still read what is public.
        with self._lock:
            if not self._is_anonymous:
                self._is_anonymous = True
                self._system = self._new_system()
        return self._tried(ask, self._system)

    def _tried(self, ask: Callable[[Any], Any], system: Any) -> Any:
        try:
            return ask(system)
        except Exception as error:  # The packages below raise errors of many families.
            if not is_of_the_network(error):
                raise
            failure = self._failure(error)
        raise failure

    def _new_system(self) -> Any:
        # How often it is tried again is decided in one place, and not here.
        options = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS, "retries": {"max_attempts": 0}}
        system = package("s3fs").S3FileSystem(
            anon=self._is_anonymous,
            config_kwargs={**options, "max_pool_connections": _CONNECTIONS},
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        system.retries = 1
        return system

    def _failure(self, error: Exception) -> StoreError | TransientError:
        name = type(error).__name__
        if name in _LOCAL_FAILURES:
            return StoreError(*_LOCAL_FAILURES[name])
        answers = [getattr(own, "response", None) for own in (error, error.__cause__)]
        answer = next((own for own in answers if isinstance(own, dict)), None)
        if answer is None:
            return connection_failure(error) or StoreError(Failure.UNREACHABLE, name, _ADDRESS)
        code = str(answer.get("Error", {}).get("Code", ""))
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _TRANSIENT_CODES:
            return TransientError(f"the store's answer is {code}")
        refused = 403 if code in _REFUSING_CODES else status
        failure = status_failure(refused, _WITHOUT if self._is_anonymous else _REFUSED)
        # Codes are words of the interface; sentences of the store may hold a key or a signature.
        if isinstance(failure, StoreError) and code.isalnum() and not code.isdecimal():
            failure.got = f"{failure.got} ({code[:40]})"
        return failure
