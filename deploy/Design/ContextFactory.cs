using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Condense.Design;

/// <summary>Makes a context without a file.</summary>
internal sealed class ContextFactory : IDesignTimeDbContextFactory<CondenseDbContext>
{
    /// <inheritdoc/>
    public CondenseDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<CondenseDbContext>().UseSqlite("Data Source=:memory:").Options);
}
