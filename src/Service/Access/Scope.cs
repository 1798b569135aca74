namespace Condense.Service.Access;

/// <summary>What a key may do.</summary>
internal static class Scope
{
    /// <summary>Look at models, datasets and their bytes.</summary>
    public const string ModelsRead = "models:read";

    /// <summary>Upload, change and delete models and datasets.</summary>
    public const string ModelsWrite = "models:write";

    /// <summary>Look at jobs, their events and reports.</summary>
    public const string JobsRead = "jobs:read";

    /// <summary>Start, cancel and retry jobs.</summary>
    public const string JobsWrite = "jobs:write";

    /// <summary>Everything about webhooks.</summary>
    public const string WebhooksManage = "webhooks:manage";

    /// <summary>Everything, and keys.</summary>
    public const string Admin = "admin";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [ModelsRead, ModelsWrite, JobsRead, JobsWrite, WebhooksManage, Admin];
}
