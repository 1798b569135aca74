using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Webhooks;

/// <summary>The npm package <c>standardwebhooks</c>, which receivers use. Skips the test where it is not installed.</summary>
internal static class StandardWebhooks
{
    /// <summary>Verifies a message as a receiver would.</summary>
    /// <returns>The type of the event; or, after "error: ", why the message is not trustworthy.</returns>
    public static async Task<string> VerifyAsync(string secret, ReceivedWebhook message, string? body = null)
    {
        string script = Script();
        Assert.SkipUnless(Directory.Exists(Path.Combine(script, "../../../node_modules/standardwebhooks")), "The npm package standardwebhooks is not installed.");
        using var node = Process.Start(new ProcessStartInfo("node", [script]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        var headers = new JsonObject(message.Headers.Select(header => KeyValuePair.Create(header.Key, (JsonNode?)header.Value)));
        await node.StandardInput.WriteAsync(new JsonObject { ["secret"] = secret, ["headers"] = headers, ["body"] = body ?? message.Body }.ToJsonString());
        node.StandardInput.Close();
        string output = await node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(node.ExitCode == 0, output);
        var answer = JsonNode.Parse(output)!;
        return (string?)answer["type"] ?? $"error: {answer["error"]}";
    }

    private static string Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "tests", "Service.Tests", "Webhooks", "verify.cjs");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new InvalidOperationException("The tests do not run beneath the repository.");
    }
}
