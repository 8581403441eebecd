/**
 * npm runs scripts in a shell, and a signal that npm passes on ends the shell alone. Who has lost
 * the parent it was started by takes that for the signal it did not get.
 */
export function endWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 200);
  watch.unref();
}
