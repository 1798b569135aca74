using System.Net;
using System.Text.Json.Nodes;

namespace Condense.Service.Tests.Webhooks;

/// <summary>A message as its receiver sees it.</summary>
internal sealed record ReceivedWebhook(string Path, IReadOnlyDictionary<string, string> Headers, string Body, IPAddress At)
{
    public string Id => Headers["webhook-id"];

    public string Type => (string)Document["type"]!;

    public JsonNode Document => JsonNode.Parse(Body)!;
}
