// Get.java URL: fetches f1 ... f20 at once into the working directory.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

public class Get {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        CompletableFuture<?>[] all = IntStream.rangeClosed(1, 20).mapToObj(i -> client.sendAsync(
            HttpRequest.newBuilder(URI.create(arguments[0] + "/f" + i)).build(), BodyHandlers.ofFile(Path.of("f" + i)))).toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(all).get();
        System.exit(0);
    }
}
