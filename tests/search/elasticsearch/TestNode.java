import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node on loopback, without security, for tests: prints its port, and ends when
 * its standard input does, so that it never outlives who started it.
 */
public final class TestNode {
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        Path data = Path.of(arguments[1]);
        LogConfigurator.registerErrorListener();
        LogConfigurator.configureWithoutConfig(
            Settings.builder().put("logger.level", "WARN").build());
        LogConfigurator.configureESLogging();
        Settings settings = Settings.builder()
            .put("path.home", home.toString())
            .put("path.data", data.toString())
            .put("path.logs", data.toString())
            .put("cluster.name", "tests")
            .put("node.name", "tests")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            .put("discovery.type", "single-node")
            // A nearly full disk of a build machine is none of the tests' business.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            // Tests remove what they made by its prefix.
            .put("action.destructive_requires_name", false)
            .build();
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "tests");
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
            Map.of(),
            false);
        try (Node node = new Node(environment, plugins)) {
            node.start();
            int port = node.injector().getInstance(HttpServerTransport.class)
                .boundAddress().publishAddress().getPort();
            System.out.println("PORT " + port);
            while (System.in.read() >= 0) { }
        }
        System.exit(0);
    }
}
