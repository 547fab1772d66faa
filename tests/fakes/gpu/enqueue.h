// How another fake library puts work on a fake GPU's stream, so that it is captured into graphs like everything else.
// Its address comes from dlsym on the library that BUSBAR_GPU_PLATFORM names, opened with RTLD_NOLOAD.
#pragma once

/// Carries out work(argument) before it returns, or, while the stream is being captured, keeps it and carries it out
/// each time the graph is launched. release(argument), which may be null, is called when the work will not be done
/// again. A null stream captures nothing.
extern "C" void busbar_fake_gpu_enqueue(void* stream, void (*work)(void*), void* argument, void (*release)(void*));

using BusbarFakeGpuEnqueue = decltype(busbar_fake_gpu_enqueue);
