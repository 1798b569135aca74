namespace Condense.Service.Access;

/// <summary>
/// On whose behalf a scope of services works: of a request the key's tenant, of a worker the job's. Until it is set, queries see no row of any
/// tenant.
/// </summary>
internal sealed class Caller
{
    /// <summary>The tenant; null while nobody is known.</summary>
    public string? TenantId { get; private set; }

    /// <summary>The key; null for a worker, and where no keys are asked for.</summary>
    public string? KeyId { get; private set; }

    /// <summary>The tenant that is known to be there.</summary>
    /// <exception cref="InvalidOperationException">Nobody is known yet.</exception>
    public string Tenant => TenantId ?? throw new InvalidOperationException("Nobody has said on whose behalf this scope works.");

    /// <summary>Works on behalf of a tenant from here on.</summary>
    public void Become(string tenantId, string? keyId = null)
    {
        TenantId = tenantId;
        KeyId = keyId;
    }
}
