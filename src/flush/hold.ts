/** A timer or a socket: what keeps a process alive unless told not to. */
export interface Keeper {
  ref(): unknown;
  unref(): unknown;
}

/** Decides for many timers and sockets at once whether they keep the process alive. */
export interface Hold {
  /** Takes a timer or socket under its care; returns what lets go of it again. */
  add(keeper: Keeper): () => void;
  /** Keeps the process alive until what is returned is called. May be taken many times. */
  take(): () => void;
  /** Does work, and keeps the process alive until it has ended. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Creates a hold that nobody has taken: what is in its care keeps nothing alive. */
export function createHold(): Hold {
  const keepers = new Set<Keeper>();
  let taken = 0;
  return { add, take, during };

  function add(keeper: Keeper): () => void {
    keepers.add(keeper);
    if (taken === 0) keeper.unref();
    return () => void keepers.delete(keeper);
  }

  function take(): () => void {
    if (taken++ === 0) for (const one of keepers) one.ref();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (--taken === 0) for (const one of keepers) one.unref();
    };
  }

  async function during<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = take();
    try {
      return await work();
    } finally {
      release();
    }
  }
}
