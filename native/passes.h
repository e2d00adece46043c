// Forward and backward passes of all models of a call, on the threads of the pool.
#ifndef THROUGHTIME_PASSES_H
#define THROUGHTIME_PASSES_H

#include "args.h"

namespace throughtime {

// Return an error if memory runs out. The shapes must have been checked.
ffi::Error run_passes(const ForwardArgs&, const Problem&, ffi::ThreadPool&);
ffi::Error run_passes(const BackwardArgs&, const Problem&, ffi::ThreadPool&);

}  // namespace throughtime

#endif
