using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Condense.Design;

/// <summary>Makes a SQLite context without a file: the tool only reads the model.</summary>
internal sealed class SqliteFactory : IDesignTimeDbContextFactory<SqliteDbContext>
{
    /// <inheritdoc/>
    public SqliteDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqliteDbContext>().UseSqlite("Data Source=:memory:").Options, new Caller());
}
