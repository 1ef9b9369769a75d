// Callers, and what they count.
export const [url, method] = process.argv.slice(2, 4);
const [callers, seconds, pause] = process.argv.slice(4, 7).map(Number);
export const body = method === "POST" ? "x".repeat(1024) : undefined;
const expected = method === "POST" ? "1024\n" : "hello\n";

const describe = (error) => {
  let inner = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  return `${inner.name}: ${inner.message}`.slice(0, 200);
};

const late = (limit) =>
  new Promise((_, reject) => setTimeout(() => reject(new Error("no response in 10 s")), limit).unref());

// `call` resolves to [status, text].
export async function run(call) {
  const end = performance.now() + seconds * 1000;
  let calls = 0;
  const errors = {};
  console.log("started");
  const caller = async () => {
    while (performance.now() < end) {
      try {
        calls += 1;
        const [status, text] = await Promise.race([call(), late(10_000)]);
        if (status !== 200 || text !== expected) throw new Error(`status ${status}`);
      } catch (error) {
        const text = describe(error);
        errors[text] = (errors[text] ?? 0) + 1;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pause));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  console.log(JSON.stringify({ calls, errors }));
  process.exit(0); // idle connections would keep the process
}
