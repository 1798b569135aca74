using System.Reflection;
using Condense.Service.Problems;
using Microsoft.OpenApi;
using Xunit;

namespace Condense.Service.Tests.Hosting;

/// <summary>The description of the API as a whole; single answers are held against it wherever a test gets one (<see cref="Contract"/>).</summary>
public sealed class ContractTests
{
    /// <summary>Kinds that no request is answered with: jobs end with them.</summary>
    private static readonly string[] s_ofJobs = ["out_of_memory", "worker_crashed_repeatedly", "max_seconds_exceeded", "verification_failed"];

    /// <summary>An address that does not take a method has no operation that could say so.</summary>
    private const string NoOperation = "method_not_allowed";

    [Fact]
    public void Every_kind_of_problem_is_described_somewhere_and_no_other()
    {
        string[] kinds = [.. typeof(ProblemKind).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => ((ProblemKind)field.GetValue(null)!).Code)];
        var described = Operations().SelectMany(operation => operation.Value.Responses!).Where(response => int.Parse(response.Key, System.Globalization.CultureInfo.InvariantCulture) >= 400)
            .SelectMany(response => Contract.CodesOf(response.Value)).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(kinds.Except([.. s_ofJobs, NoOperation]).Order(StringComparer.Ordinal), described.Where(kinds.Contains).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_operation_that_needs_a_key_says_how_it_may_be_refused_whatever_it_does()
    {
        foreach (var (name, operation) in Operations().Where(operation => operation.Value.Security?.Count > 0))
        {
            foreach (string status in new[] { "401", "403", "429", "500", "503" })
            {
                Assert.True(operation.Responses!.ContainsKey(status), $"{name} does not describe {status}.");
            }

            Assert.True(operation.Responses!["429"].Headers!.ContainsKey("Retry-After"), $"{name} does not say when to come back.");
        }
    }

    [Theory]
    [InlineData("CreateUpload", "Tus-Resumable", true)]
    [InlineData("CreateUpload", "Upload-Length", true)]
    [InlineData("CreateUpload", "Idempotency-Key", false)]
    [InlineData("ContinueUpload", "Upload-Offset", true)]
    [InlineData("ContinueUpload", "Upload-Checksum", false)]
    [InlineData("GetUploadOffset", "Tus-Resumable", true)]
    [InlineData("CreateModel", "Content-Digest", false)]
    [InlineData("CreateJob", "Prefer", false)]
    [InlineData("GetJob", "If-None-Match", false)]
    [InlineData("GetJobEvents", "Last-Event-ID", false)]
    [InlineData("GetModelContent", "Range", false)]
    [InlineData("ChangeWebhook", "If-Match", false)]
    [InlineData("DeleteApiKey", "If-Match", false)]
    public void A_header_that_an_operation_reads_is_a_parameter(string operation, string header, bool isRequired)
    {
        var parameter = Operations().Single(pair => pair.Value.OperationId == operation).Value.Parameters!
            .Select(parameter => parameter is OpenApiParameterReference reference ? Contract.Document.Components!.Parameters![reference.Reference.Id!] : parameter)
            .Single(parameter => parameter.Name == header);
        Assert.Equal(ParameterLocation.Header, parameter.In);
        Assert.Equal(isRequired, parameter.Required);
    }

    [Theory]
    [InlineData("JobRequest", "model")]
    [InlineData("ModelPatch")]
    [InlineData("KeyRequest", "name", "scopes")]
    [InlineData("WebhookRequest", "url")]
    public void A_document_must_have_what_has_no_default(string schema, params string[] required) =>
        Assert.Equal(required, (Contract.Document.Components!.Schemas![schema].Required ?? new HashSet<string>()).Order(StringComparer.Ordinal));

    private static IEnumerable<KeyValuePair<string, OpenApiOperation>> Operations() =>
        Contract.Document.Paths.SelectMany(path => path.Value.Operations!.Select(operation => KeyValuePair.Create($"{operation.Key} {path.Key}", operation.Value)));
}
