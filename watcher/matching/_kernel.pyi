from array import array
from collections.abc import Callable

class Kernel:
    def __init__(
        self,
        fold: Callable[[str], bytes],
        is_alnum: Callable[[str], bool],
        names: tuple[str, ...],
        keys: array[int],
        words: bytes,
        word_ends: array[int],
        prefixes: bytes,
        prefix_ends: array[int],
        phrases: array[int],
        phrase_ends: array[int],
        titles: array[int],
        code: array[int],
        roots: array[int],
        certain: bytearray,
        post_keys: array[int],
        post_rules: array[int],
        post_guards: array[int],
    ) -> None: ...
    def match(self, title: str, body: str) -> tuple[list[str], list[str]]: ...
    def seen(self) -> int: ...
