// Rates of Caffeine in the mix of `syncmap bench --suite cache`: get, and on a miss put; and puts of new keys. Another language:
// keys and values are objects, and the figures belong into a column of their own.
//
//   java -cp caffeine.jar bench/peers/CaffeineRates.java ENTRIES THREADS
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

public final class CaffeineRates {
    private static final int BURST = 256;
    private static final int REQUESTS = 1 << 20;
    private static final int ROUNDS = 7;
    private static final long TURN = 500_000_000L; // nanoseconds

    public static void main(String[] arguments) throws InterruptedException {
        final int entries = Integer.parseInt(arguments[0]);
        final int threads = Integer.parseInt(arguments[1]);
        position = new int[threads * 16];
        final Cache<Long, Long> mixed = Caffeine.newBuilder().maximumSize(entries).build();
        final long[][] requests = new long[threads][];
        for (int t = 0; t < threads; ++t) requests[t] = zipf(10L * entries, t);
        final AtomicLong hits = new AtomicLong();
        final AtomicLong asked = new AtomicLong();
        for (int round = 0; round <= ROUNDS; ++round) { // the first one warms up
            hits.set(0);
            asked.set(0);
            final double rate = run(threads, (thread, from) -> {
                int found = 0;
                for (int i = 0; i < BURST; ++i) {
                    final Long key = requests[thread][(from + i) & (REQUESTS - 1)];
                    if (mixed.getIfPresent(key) != null) {
                        ++found;
                    } else {
                        mixed.put(key, key);
                    }
                }
                hits.addAndGet(found);
                asked.addAndGet(BURST);
            });
            if (round != 0)
                System.out.printf("get, and on a miss put: %.2f M/s, hits %.1f %%%n", rate, 100.0 * hits.get() / asked.get());
        }
        final Cache<Long, Long> full = Caffeine.newBuilder().maximumSize(entries).build();
        final long[] next = new long[threads * 16];
        for (int t = 0; t < threads; ++t) next[16 * t] = t;
        for (int round = 0; round <= ROUNDS; ++round) {
            final double rate = run(threads, (thread, from) -> {
                for (int i = 0; i < BURST; ++i) {
                    final Long key = scramble(next[16 * thread] += threads);
                    full.put(key, key);
                }
            });
            if (round != 0) System.out.printf("puts of new keys: %.2f M/s%n", rate);
        }
    }

    private static int[] position;

    private interface Burst {
        void run(int thread, int from);
    }

    /** Millions of operations a second, of all threads together. */
    private static double run(int threads, Burst burst) throws InterruptedException {
        final CountDownLatch ready = new CountDownLatch(threads + 1);
        final AtomicLong done = new AtomicLong();
        final Thread[] all = new Thread[threads];
        for (int t = 0; t < threads; ++t) {
            final int own = t;
            all[t] = new Thread(() -> {
                ready.countDown();
                try {
                    ready.await();
                } catch (InterruptedException e) {
                    return;
                }
                final long end = System.nanoTime() + TURN;
                long count = 0;
                for (; System.nanoTime() < end; count += BURST) {
                    burst.run(own, position[16 * own]); // the requests go on where the last round has ended
                    position[16 * own] = (position[16 * own] + BURST) & (REQUESTS - 1);
                }
                done.addAndGet(count);
            });
            all[t].start();
        }
        final long began = System.nanoTime();
        ready.countDown();
        for (final Thread t : all) t.join();
        return done.get() * 1e3 / (System.nanoTime() - began);
    }

    private static long scramble(long x) {
        x += 0x9E3779B97F4A7C15L;
        x = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }

    /** Zipf 0.99 by the inverse of its integral: ranks from 0 on, scrambled. */
    private static long[] zipf(long keys, int seed) {
        final Random random = new Random(seed);
        final double power = 0.01;
        final double high = (Math.pow(keys + 0.5, power) - 1) / power;
        final double low = (Math.pow(0.5, power) - 1) / power;
        final long[] made = new long[REQUESTS];
        for (int i = 0; i < REQUESTS; ++i) {
            final double y = low + random.nextDouble() * (high - low);
            made[i] = scramble(Math.min(keys - 1, Math.round(Math.pow(1 + y * power, 1 / power)) - 1));
        }
        return made;
    }
}
