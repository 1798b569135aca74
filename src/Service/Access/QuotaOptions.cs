using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Access;

/// <summary>How much each tenant may have, and what single tenants may have instead.</summary>
internal sealed record QuotaOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Quotas";

    /// <summary>Bytes of everything stored, each content once, and of uploads that have begun. Default: 1 TiB.</summary>
    [Range(0, long.MaxValue)]
    public long StoredBytes { get; init; } = 1L << 40;

    /// <summary>Models, compressed ones too. Default: 100,000.</summary>
    [Range(0, int.MaxValue)]
    public int Models { get; init; } = 100_000;

    /// <summary>Datasets. Default: 10,000.</summary>
    [Range(0, int.MaxValue)]
    public int Datasets { get; init; } = 10_000;

    /// <summary>Resumable uploads that have not ended. Default: 1,000.</summary>
    [Range(0, int.MaxValue)]
    public int Uploads { get; init; } = 1_000;

    /// <summary>Jobs that have not ended. Default: 20,000.</summary>
    [Range(0, int.MaxValue)]
    public int UnfinishedJobs { get; init; } = 20_000;

    /// <summary>Webhook endpoints. Default: 50.</summary>
    [Range(0, int.MaxValue)]
    public int Webhooks { get; init; } = 50;

    /// <summary>Keys. Default: 1,000.</summary>
    [Range(0, int.MaxValue)]
    public int Keys { get; init; } = 1_000;

    /// <summary>By tenant: what it may have instead; what is left out holds as for all.</summary>
    public IReadOnlyDictionary<string, TenantQuotas> Tenants { get; init; } = new Dictionary<string, TenantQuotas>(StringComparer.Ordinal);

    /// <summary>What a tenant may have.</summary>
    public Quotas For(string tenant)
    {
        var own = Tenants.GetValueOrDefault(tenant);
        return new Quotas(
            own?.StoredBytes ?? StoredBytes,
            own?.Models ?? Models,
            own?.Datasets ?? Datasets,
            own?.Uploads ?? Uploads,
            own?.UnfinishedJobs ?? UnfinishedJobs,
            own?.Webhooks ?? Webhooks,
            own?.Keys ?? Keys);
    }
}

/// <summary>What one tenant may have instead of what all may.</summary>
internal sealed record TenantQuotas
{
    /// <summary>Bytes.</summary>
    public long? StoredBytes { get; init; }

    /// <summary>Models.</summary>
    public int? Models { get; init; }

    /// <summary>Datasets.</summary>
    public int? Datasets { get; init; }

    /// <summary>Resumable uploads that have not ended.</summary>
    public int? Uploads { get; init; }

    /// <summary>Jobs that have not ended.</summary>
    public int? UnfinishedJobs { get; init; }

    /// <summary>Webhook endpoints.</summary>
    public int? Webhooks { get; init; }

    /// <summary>Keys.</summary>
    public int? Keys { get; init; }
}

/// <summary>How much the tenant may have.</summary>
/// <param name="StoredBytes">Bytes of everything stored, each content once, and of uploads that have begun.</param>
/// <param name="Models">Models, compressed ones too.</param>
/// <param name="Datasets">Datasets.</param>
/// <param name="Uploads">Resumable uploads that have not ended.</param>
/// <param name="UnfinishedJobs">Jobs that have not ended.</param>
/// <param name="Webhooks">Webhook endpoints.</param>
/// <param name="Keys">Keys.</param>
internal sealed record Quotas(long StoredBytes, int Models, int Datasets, int Uploads, int UnfinishedJobs, int Webhooks, int Keys);
