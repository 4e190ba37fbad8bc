"""A store behind the store: results that others sent there are fetched, new ones are sent.

Below its address `STAGE/KEY/entry.json` is an entry's record, and each of its files lies beside it
under its digest. The record is sent last, so what it names is there; of two who send one entry
neither can spoil the other's. What comes from there is checked as any stranger's entry.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import fsspec

from mmclf.errors import InputError, tell
from mmclf.storage.addresses import check_address
from mmclf.storage.file_limits import RECORD_BYTES
from mmclf.storage.process_identity import this_process
from mmclf.storage.store.atomic_write import sync_file, sync_folder, write_atomic
from mmclf.storage.store.entry import RECORD, DamagedError, Entry, open_entry, read_record
from mmclf.storage.store.inner_files import put_in_place, remove_tree, unfinished_name
from mmclf.storage.waiting import within

ANSWER_S = 30.0  # for a record, or the next part of a file
QUIET_WAIT_S = 2.0  # at the end, for what is being sent, before saying so
STALL_S = 120.0  # without a file or a part of one sent, after which it is given up
PART = 2**23  # bytes that are read at a time
FETCHED = "fetched"  # beside the record of an entry that came from a remote store: its address
ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://[^/].*|file:///.+", re.IGNORECASE)
DIGEST = re.compile(r"[0-9a-f]{64}")
# Where folders are but parts of names; asked for one, s3fs would make a bucket.
OBJECTS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss")
EXTRAS = {"s3": "mmclf[s3]", "s3a": "mmclf[s3]"}


class Remote:
    """The remote store at an address of fsspec's, as `s3://bucket/folder`.

    If it fails once, a note says so, and it is left alone from then on: no run fails by it.
    Raises InputError for an address that is none, has a password, or whose library is missing.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._files, self._root = _opened(address)
        self._has_folders = address.partition("://")[0].lower() not in OBJECTS
        self._missing: set[Path] = set()
        self._bad: set[Path] = set()  # what is damaged there, to be replaced
        self._known: set[Path] = set()  # what is there for sure
        self._waiting: queue.Queue[tuple[Path, bool] | None] = queue.Queue()
        self._sender: threading.Thread | None = None
        self._progress = time.monotonic()
        self._is_off = threading.Event()

    def has(self, folder: Path) -> bool:
        """Whether it has the entry of a store's folder, as far as its name says."""
        try:
            return not self._is_off.is_set() and self._exists(self._of(folder))
        except Exception as error:
            self._turn_off(error)
            return False

    def fetch(self, folder: Path) -> bool:
        """Fetch the entry of a store's folder, which is not there yet; False if that is not to be.

        Every file is held against its size and digest before the entry takes its place.
        """
        if self._is_off.is_set() or folder in self._missing:
            return False
        try:
            self._fetch(folder)
        except FileNotFoundError:
            self._missing.add(folder)
            return False
        except DamagedError as error:
            self._bad.add(folder)
            self._missing.add(folder)
            tell(f"store.remote={self.address}: {error}: it is made again")
            return False
        # Each file system has errors of its own.
        except Exception as error:
            self._turn_off(error)
            return False
        self._known.add(folder)
        return True

    def send(self, folder: Path, *, again: bool = False) -> None:
        """Send an entry in the background, if it is not there; again, if its record has changed."""
        if self._is_off.is_set() or (folder in self._known and not again):
            return
        if self._sender is None:
            self._sender = threading.Thread(target=self._send_all, name="store", daemon=True)
            self._sender.start()
        self._known.add(folder)
        self._waiting.put((folder, again))

    def read(self, name: str) -> bytes | None:
        """The content of a small file beside the stages; None if there is none."""
        try:
            return None if self._is_off.is_set() else self._small(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        except Exception as error:
            self._turn_off(error)
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a small file beside the stages."""
        try:
            if not self._is_off.is_set():
                within(ANSWER_S, lambda: self._put(f"{self._root}/{name}", data))
        except Exception as error:
            self._turn_off(error)

    def close(self, *, abandon: bool = False) -> None:
        """Wait until all is sent, or leave what is not if that is to be abandoned, or stalls."""
        if self._sender is None:
            return
        if abandon:
            self._is_off.set()
            return
        self._waiting.put(None)
        self._progress = time.monotonic()
        self._sender.join(QUIET_WAIT_S)
        if self._sender.is_alive():
            tell(f"waiting until the new results are in {self.address}")
        while self._sender.is_alive():
            self._sender.join(1.0)
            if time.monotonic() - self._progress > STALL_S:
                self._turn_off(TimeoutError(f"nothing was sent for {STALL_S:.0f} s"))
                return

    def _send_all(self) -> None:
        while (item := self._waiting.get()) is not None and not self._is_off.is_set():
            try:
                self._send(*item)
            except DamagedError:
                continue  # it is made again when it is used
            except Exception as error:
                if item[0].exists():  # else it has been removed meanwhile
                    self._turn_off(error)

    def _send(self, folder: Path, again: bool) -> None:
        """Send the files of an entry, its record last."""
        there, entry = self._of(folder), open_entry(folder)
        if not again:
            if folder not in self._bad and self._exists(there):
                return
            for name, (_, digest) in entry.files.items():
                self._upload(entry.path(name), f"{there}/{digest}")
        self._put(f"{there}/{RECORD}", (folder / RECORD).read_bytes())
        self._bad.discard(folder)
        self._progress = time.monotonic()

    def _upload(self, path: Path, there: str) -> None:
        self._make_folder(there)
        with path.open("rb") as source, self._files.open(there, "wb") as target:
            while data := source.read(PART):
                target.write(data)
                self._progress = time.monotonic()
                if self._is_off.is_set():
                    raise TimeoutError("it was given up")

    def _put(self, there: str, data: bytes) -> None:
        self._make_folder(there)
        self._files.pipe_file(there, data)

    def _make_folder(self, there: str) -> None:
        if self._has_folders:
            self._files.makedirs(there.rpartition("/")[0], exist_ok=True)

    def _fetch(self, folder: Path) -> None:
        there = self._of(folder)
        data = self._small(f"{there}/{RECORD}")
        try:
            entry = read_record(data, folder)
        except DamagedError as error:
            raise DamagedError(f"{there}/{RECORD} is damaged") from error
        unfinished = unfinished_name(folder, this_process())
        try:
            unfinished.mkdir(parents=True)
            here = Entry(
                unfinished, entry.timing, entry.inputs, entry.arguments, entry.created, entry.files
            )
            for name in entry.files:
                self._download(there, here, name)
            write_atomic(unfinished / FETCHED, f"{self.address}\n".encode())
            write_atomic(unfinished / RECORD, data)
            sync_folder(unfinished)
            put_in_place(unfinished, folder)
        finally:
            remove_tree(unfinished)

    def _download(self, there: str, entry: Entry, name: str) -> None:
        """Fetch a file of an entry, no more of it than its record says, and check it."""
        size, digest = entry.files[name]
        if DIGEST.fullmatch(digest) is None or name in (RECORD, FETCHED):
            raise DamagedError(f"{there}/{RECORD} names a file that cannot be of its entry")
        target = entry.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source_name = f"{there}/{digest}"
        try:
            source = within(ANSWER_S, lambda: self._files.open(source_name, "rb"))
        except FileNotFoundError as error:
            raise DamagedError(f"{source_name} is missing") from error
        with source, target.open("xb") as stream:
            left = size + 1
            while left > 0:
                data = within(ANSWER_S, partial(source.read, min(left, PART)))
                if not data:
                    break
                stream.write(data)
                left -= len(data)
        sync_file(target)
        try:
            entry.path(name)
        except DamagedError as error:
            raise DamagedError(f"{source_name} is damaged") from error

    def _small(self, there: str) -> bytes:
        """The content of a small file; raises FileNotFoundError, DamagedError if it is large."""

        def read() -> bytes:
            with self._files.open(there, "rb") as stream:
                return bytes(stream.read(RECORD_BYTES + 1))

        data = within(ANSWER_S, read)
        if len(data) > RECORD_BYTES:
            raise DamagedError(f"{there} is too large")
        return data

    def _exists(self, there: str) -> bool:
        return bool(within(ANSWER_S, lambda: self._files.exists(f"{there}/{RECORD}")))

    def _of(self, folder: Path) -> str:
        return f"{self._root}/{folder.parent.name}/{folder.name}"

    def _turn_off(self, error: Exception) -> None:
        """Say what failed, once."""
        if self._is_off.is_set():
            return
        self._is_off.set()
        text = " ".join(str(error).split()) or type(error).__name__
        tell(
            f"store.remote={self.address} cannot be used ({text}): the run goes on with store.dir "
            "alone"
        )


def _opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it; raises InputError."""
    check_address("store.remote", address)
    match = ADDRESS.fullmatch(address)
    if match is None or "::" in address:
        raise InputError(
            f"store.remote: found {address!r}, expected an address as s3://BUCKET/FOLDER, "
            "file:///FOLDER or another of fsspec's"
        )
    scheme = address.partition("://")[0].lower()
    try:
        files, root = fsspec.core.url_to_fs(address)
    except ImportError as error:
        extra = f"pip install '{EXTRAS[scheme]}'" if scheme in EXTRAS else str(error)
        raise InputError(
            f"store.remote={address}: the library for {scheme}:// is not installed: {extra}"
        ) from error
    # Of an address or of what the environment says: each file system has errors of its own.
    except Exception as error:
        raise InputError(f"store.remote={address} cannot be opened ({error})") from error
    with suppress(AttributeError):
        files.use_listings_cache = False
    return files, str(root).rstrip("/")
