namespace Condense.Service.Access;

/// <summary>A row that belongs to one tenant: queries see it only on behalf of that tenant.</summary>
internal interface ITenantOwned
{
    /// <summary>The tenant.</summary>
    string TenantId { get; }
}
