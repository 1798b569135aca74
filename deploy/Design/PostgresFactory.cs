using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Condense.Design;

/// <summary>Makes a PostgreSQL context without a server: the tool only reads the model.</summary>
internal sealed class PostgresFactory : IDesignTimeDbContextFactory<PostgresDbContext>
{
    /// <inheritdoc/>
    public PostgresDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresDbContext>().UseNpgsql("Host=localhost;Database=condense").Options, new Caller());
}
