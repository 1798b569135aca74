using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class MigrationTests
{
    [Fact]
    public void The_tables_have_no_change_without_a_migration()
    {
        using var db = new CondenseDbContext(new DbContextOptionsBuilder<CondenseDbContext>().UseSqlite("Data Source=:memory:").Options);
        Assert.False(db.Database.HasPendingModelChanges());
    }
}
