using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Condense.Service.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Finish : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "finishing_until",
                table: "upload",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.CreateTable(
                name: "model_form",
                columns: table => new
                {
                    model_id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    form = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    tenant_id = table.Column<string>(type: "text", nullable: false, defaultValue: "default", collation: "C"),
                    state = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    sha256 = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    problem_code = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    problem_detail = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_model_form", x => new { x.model_id, x.form });
                    table.ForeignKey(
                        name: "fk_model_form_artifact_tenant_id_sha256",
                        columns: x => new { x.tenant_id, x.sha256 },
                        principalTable: "artifact",
                        principalColumns: new[] { "tenant_id", "sha256" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_model_form_model_model_id",
                        column: x => x.model_id,
                        principalTable: "model",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_job_state_expires_at",
                table: "job",
                columns: new[] { "state", "expires_at" },
                filter: "state = 'Queued' AND expires_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_delivery_tenant_id_state_due_at_id",
                table: "delivery",
                columns: new[] { "tenant_id", "state", "due_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_model_form_tenant_id_sha256",
                table: "model_form",
                columns: new[] { "tenant_id", "sha256" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "model_form");

            migrationBuilder.DropIndex(
                name: "ix_job_state_expires_at",
                table: "job");

            migrationBuilder.DropIndex(
                name: "ix_delivery_tenant_id_state_due_at_id",
                table: "delivery");

            migrationBuilder.DropColumn(
                name: "finishing_until",
                table: "upload");
        }
    }
}
