"""Being told to stop, inside one process."""

import os
import signal
import threading

import pytest

from agents.training.signals import noted_signals


def test_signals_are_noted_and_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with noted_signals() as noted:
        os.kill(os.getpid(), signal.SIGTERM)
        assert noted == [signal.SIGTERM]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_second_interrupt_interrupts_at_once():
    with pytest.raises(KeyboardInterrupt), noted_signals() as noted:
        os.kill(os.getpid(), signal.SIGINT)
        assert noted == [signal.SIGINT]
        os.kill(os.getpid(), signal.SIGINT)


def test_another_thread_leaves_handlers_alone():
    seen = []

    def work():
        with noted_signals() as noted:
            seen.append((noted, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [([], signal.getsignal(signal.SIGTERM))]
