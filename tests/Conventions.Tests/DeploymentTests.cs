using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Condense.Conventions.Tests;

/// <summary>What lies in <c>deploy/</c> fits together, and fits the service.</summary>
public sealed partial class DeploymentTests
{
    private const long Gibibyte = 1L << 30;

    /// <summary>Reads YAML into JSON; Debian's docker-compose brings the package.</summary>
    private const string Reader = "import sys, json, yaml; print(json.dumps([d for f in sys.argv[1:] for d in yaml.safe_load_all(open(f))], default=str))";

    private static string Version => XDocument.Load(Repository.At("Directory.Build.props")).Descendants("Version").Single().Value;

    [Fact]
    public void Kustomize_lists_every_manifest_but_the_example()
    {
        string[] listed = [.. Regex.Matches(Repository.Read("deploy", "kubernetes", "kustomization.yaml"), @"^  - (?<name>[\w.-]+\.yaml)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal)];
        string[] present = [.. Directory.GetFiles(Repository.At("deploy", "kubernetes"), "*.yaml").Select(file => Path.GetFileName(file)).Except(["kustomization.yaml", "secrets.example.yaml"], StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        Assert.Equal(present, listed);
        Assert.Contains($"newTag: {Version}\n", Repository.Read("deploy", "kubernetes", "kustomization.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_pod_runs_without_rights_and_is_found_by_what_selects_it()
    {
        var manifests = await ManifestsAsync();
        var templates = manifests.Where(document => Kind(document) is "Deployment" or "Job").Select(document => document["spec"]!["template"]!).ToList();
        Assert.Equal(3, templates.Count);
        foreach (var template in templates)
        {
            var pod = template["spec"]!;
            Assert.True((bool)pod["securityContext"]!["runAsNonRoot"]!);
            Assert.False((bool)pod["automountServiceAccountToken"]!);
            var container = Assert.Single(pod["containers"]!.AsArray())!;
            Assert.Equal("condense", (string?)container["image"]);
            Assert.True((bool)container["securityContext"]!["readOnlyRootFilesystem"]!);
            Assert.False((bool)container["securityContext"]!["allowPrivilegeEscalation"]!);
            Assert.NotNull(container["resources"]!["limits"]!["memory"]);
            Assert.Equal(Names(pod["volumes"]!), Names(container["volumeMounts"]!));
        }

        foreach (var document in manifests.Where(document => Kind(document) is "Deployment" or "Service" or "PodDisruptionBudget"))
        {
            var selector = document["spec"]!["selector"]!;
            var labels = (selector["matchLabels"] ?? selector).AsObject();
            Assert.Single(templates, template => labels.All(label => (string?)template["metadata"]!["labels"]![label.Key] == (string?)label.Value));
        }

        string[] secrets = [.. manifests.SelectMany(document => Regex.Matches(document.ToJsonString(), "\"(?:secretName|secret\":\\{\"name)\":\"(?<name>[^\"]+)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))).Select(match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal)];
        var examples = await ReadAsync("deploy/kubernetes/secrets.example.yaml");
        Assert.Equal(examples.Select(secret => (string)secret["metadata"]!["name"]!).Order(StringComparer.Ordinal), secrets.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_worker_has_the_memory_that_its_jobs_may_take_and_the_time_to_drain()
    {
        var manifests = await ManifestsAsync();
        var worker = manifests.Single(document => Kind(document) == "Deployment" && Name(document) == "condense-worker")["spec"]!;
        var pod = worker["template"]!["spec"]!;
        var container = pod["containers"]![0]!;
        string Setting(string name) => (string)container["env"]!.AsArray().Single(item => (string?)item!["name"] == name)!["value"]!;
        long jobs = long.Parse(Setting("Worker__JobMemoryBytes"), null) * long.Parse(Setting("Worker__Concurrency"), null);
        string memory = (string)container["resources"]!["limits"]!["memory"]!;
        Assert.EndsWith("Gi", memory, StringComparison.Ordinal);
        Assert.InRange(jobs, 1, (long.Parse(memory[..^2], null) * Gibibyte) - (Gibibyte / 2));
        Assert.InRange((int)pod["terminationGracePeriodSeconds"]!, 40, 600);
        var scaled = manifests.Single(document => Kind(document) == "ScaledObject")["spec"]!;
        Assert.Equal("condense-worker", (string?)scaled["scaleTargetRef"]!["name"]);

        // A number of its own would take workers away at every `kubectl apply`.
        Assert.Null(worker["replicas"]);
    }

    [Fact]
    public async Task Probes_ask_for_addresses_that_the_service_has()
    {
        var manifests = await ManifestsAsync();
        string[] asked = [.. manifests.SelectMany(document => Regex.Matches(document.ToJsonString(), "\"(?:path|prometheus.io/path)\":\"(?<path>/[a-z]+)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))).Select(match => match.Groups["path"].Value).Distinct(StringComparer.Ordinal)];
        Assert.Equal(["/livez", "/metrics", "/readyz", "/startupz"], asked.Order(StringComparer.Ordinal));
        string source = Repository.Read("src", "Service", "Hosting", "Probes.cs") + Repository.Read("src", "Service", "Telemetry", "MetricsEndpoint.cs");
        Assert.All(asked, path => Assert.Contains($"\"{path}\"", source, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Compose_brings_up_the_database_one_api_and_two_workers_each_watched()
    {
        var services = (await ReadAsync("docker-compose.yml")).Single()["services"]!;
        Assert.Equal(2, (int)services["worker"]!["scale"]!);
        Assert.Equal(("Api", "Worker"), ((string?)services["api"]!["environment"]!["Role"], (string?)services["worker"]!["environment"]!["Role"]));
        Assert.NotNull(services["postgres"]!["healthcheck"]!["test"]);
        Assert.Contains("\nHEALTHCHECK ", Repository.Read("Dockerfile"), StringComparison.Ordinal);
        foreach (string name in new[] { "api", "worker" })
        {
            var needs = services[name]!["depends_on"]!;
            Assert.Equal("service_healthy", (string?)needs["postgres"]!["condition"]);
            Assert.Equal("service_completed_successfully", (string?)needs["migrate"]!["condition"]);
            Assert.Null(services[name]!["healthcheck"]);
            Assert.True((bool)services[name]!["read_only"]!);
        }
    }

    [Fact]
    public void Every_alert_leads_to_its_chapter_of_the_runbook()
    {
        string runbook = Repository.Read("docs", "runbook.md");
        string[] anchors = [.. Heading().Matches(runbook).Select(match => Regex.Replace(match.Groups["text"].Value.Trim().ToLowerInvariant(), "[^a-z0-9 -]", "", RegexOptions.None, TimeSpan.FromSeconds(1)).Replace(' ', '-'))];
        string[] named = [.. Anchor().Matches(Repository.Read("deploy", "prometheus", "alerts.yml")).Select(match => match.Groups["anchor"].Value)];
        Assert.True(named.Length >= 8);
        Assert.Empty(named.Except(anchors, StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_alerts_fire_when_they_should()
    {
        Assert.SkipUnless(Command.Exists("promtool"), "promtool is not installed.");
        foreach (string[] arguments in new[] { new[] { "check", "config", "prometheus.yml" }, ["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"] })
        {
            var check = await Command.RunAsync(Repository.At("deploy", "prometheus"), "promtool", arguments);
            Assert.True(check.ExitCode == 0, check.Output + check.Error);
        }
    }

    [Theory]
    [InlineData("deploy/container.sh")]
    [InlineData("deploy/secrets.sh")]
    public async Task A_script_is_well_formed_and_may_be_started(string script)
    {
        var check = await Command.RunAsync(Repository.Root, "bash", ["-n", script]);
        Assert.True(check.ExitCode == 0, check.Error);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Repository.At(script)).HasFlag(UnixFileMode.UserExecute));
    }

    private static string Kind(JsonNode document) => (string)document["kind"]!;

    private static string Name(JsonNode document) => (string)document["metadata"]!["name"]!;

    private static string[] Names(JsonNode list) => [.. list.AsArray().Select(item => (string)item!["name"]!).Order(StringComparer.Ordinal)];

    private static async Task<List<JsonNode>> ManifestsAsync() =>
        await ReadAsync([.. Directory.GetFiles(Repository.At("deploy", "kubernetes"), "*.yaml").Where(file => Path.GetFileName(file) is not ("kustomization.yaml" or "secrets.example.yaml"))]);

    private static async Task<List<JsonNode>> ReadAsync(params string[] files)
    {
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(python), "Python, which reads YAML here, is not installed.");
        var read = await Command.RunAsync(Repository.Root, python, ["-c", Reader, .. files]);
        Assert.SkipWhen(read.Error.Contains("No module named 'yaml'", StringComparison.Ordinal), "Python's yaml is not installed.");
        Assert.True(read.ExitCode == 0, read.Error);
        return [.. JsonNode.Parse(read.Output)!.AsArray().Select(document => document!)];
    }

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"runbook\.md#(?<anchor>[\w-]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Anchor();
}
