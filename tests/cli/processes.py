"""Programs that run while a test looks at them: nothing here depends on how fast."""
import os
import pathlib
import pty
import subprocess
import threading
import time

LONG = 300  # seconds: longer than anything takes, on any machine


class Terminal:
    """A program on a terminal, and what it has shown there."""

    def __init__(self, command, **options):
        ours, theirs = pty.openpty()
        on_it = dict.fromkeys(('stdin', 'stdout', 'stderr'), theirs)
        self.run = subprocess.Popen(command, **{**on_it, **options})
        os.close(theirs)
        self.shown, self.ended, self.changed = '', False, threading.Condition()
        self._ours = ours
        threading.Thread(target=self._read, args=(ours,), daemon=True).start()

    def type(self, text):
        os.write(self._ours, text.encode())

    def _read(self, ours):
        piece = b'-'
        while piece:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that the other end is closed
                piece = b''
            with self.changed:
                self.shown += piece.decode(errors='replace')
                self.ended = not piece
                self.changed.notify()
        os.close(ours)

    def wait_for(self, text):
        with self.changed:
            self.changed.wait_for(lambda: text in self.shown or self.ended, LONG)
            assert text in self.shown, self.shown

    def wait(self):
        """Its exit status and all that it has shown."""
        status = self.run.wait(LONG)
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, LONG)
        return status, self.shown


def wait_until(condition, what):
    """Waits for what no event tells of."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, f'waited in vain until {what}'
        time.sleep(0.02)


def state_of(pid):
    """(state, parent); None if there is no such process."""
    try:
        words = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    except (OSError, IndexError):  # it has just ended
        return None
    return words[0], int(words[1])


def is_running(pid):
    state = state_of(pid)
    return state is not None and state[0] != 'Z'


def children(pid):
    states = {int(path.name): state_of(path.name)
              for path in pathlib.Path('/proc').glob('[0-9]*')}
    return sorted(other for other, state in states.items() if state and state[1] == pid)


def descendants(pid):
    return [found for child in children(pid) for found in (child, *descendants(child))]
