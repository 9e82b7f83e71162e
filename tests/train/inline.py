"""Workers that are threads of the test's own process: the same loop and the same messages, without the second it
takes to start a process. `Pool(limits, hire=inline.hire)`.
"""

import threading
from multiprocessing import Pipe

import torch

from maml_core.train.hiring import Worker
from maml_core.train.worker import serve


def hire(_mib):
    here, there = Pipe()
    thread = threading.Thread(target=serve, args=(there, torch.device("cpu")), daemon=True)
    thread.start()

    def end():
        here.close()
        thread.join(10)
        there.close()
        return "the thread ended"

    return Worker(here, end)
