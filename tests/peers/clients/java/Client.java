// Java's java.net.http.HttpClient.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

public class Client {
    static long calls = 0;
    static final Map<String, Integer> errors = new TreeMap<>();

    static synchronized void add(Throwable error) {
        calls += 1;
        if (error == null) {
            return;
        }
        Throwable inner = error;
        while (inner.getCause() != null) {
            inner = inner.getCause();
        }
        errors.merge(error.getClass().getSimpleName() + ": " + inner.getMessage(), 1, Integer::sum);
    }

    // The server's certificate is self-signed.
    static SSLContext trusting() throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new X509TrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            public void checkServerTrusted(X509Certificate[] chain, String type) {}

            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        }}, null);
        return context;
    }

    public static void main(String[] arguments) throws Exception {
        var post = arguments[1].equals("POST");
        int callers = Integer.parseInt(arguments[2]), pause = Integer.parseInt(arguments[4]);
        var version = arguments[5].equals("2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1;
        System.setProperty("jdk.internal.httpclient.disableHostnameVerification", "true");
        var client = HttpClient.newBuilder().version(version).sslContext(trusting()).build();
        var builder = HttpRequest.newBuilder(URI.create(arguments[0])).timeout(Duration.ofSeconds(10));
        var request = (post ? builder.POST(HttpRequest.BodyPublishers.ofString("x".repeat(1024))) : builder.GET()).build();
        var expected = post ? "1024\n" : "hello\n";
        System.out.println("started");
        long end = System.nanoTime() + Long.parseLong(arguments[3]) * 1_000_000_000L;
        var threads = new ArrayList<Thread>();
        for (int caller = 0; caller < callers; caller++) {
            threads.add(new Thread(() -> {
                while (System.nanoTime() < end) {
                    try {
                        var response = client.send(request, HttpResponse.BodyHandlers.ofString());
                        if (response.statusCode() != 200 || !response.body().equals(expected)) {
                            throw new IllegalStateException("status " + response.statusCode());
                        }
                        if (response.version() != version) {
                            throw new IllegalStateException("the response has " + response.version());
                        }
                        add(null);
                    } catch (Exception error) {
                        add(error);
                    }
                    LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(pause * 1_000_000L + 1));
                }
            }));
        }
        threads.forEach(Thread::start);
        for (var thread : threads) {
            thread.join();
        }
        var texts = new StringJoiner(", ", "{", "}");
        errors.forEach((text, times) -> texts.add("\"" + text.replace("\\", "/").replace("\"", "'") + "\": " + times));
        System.out.println("{\"calls\": " + calls + ", \"errors\": " + texts + "}");
        System.exit(0);
    }
}
