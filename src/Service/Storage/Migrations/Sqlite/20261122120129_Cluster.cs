using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Condense.Service.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Cluster : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Tables are copied before the one that they refer to has its new key.
            migrationBuilder.Sql("PRAGMA foreign_keys = 0;", suppressTransaction: true);

            migrationBuilder.DropForeignKey(
                name: "fk_dataset_artifact_sha256",
                table: "dataset");

            migrationBuilder.DropForeignKey(
                name: "fk_model_artifact_sha256",
                table: "model");

            migrationBuilder.DropIndex(
                name: "ix_model_sha256",
                table: "model");

            migrationBuilder.DropIndex(
                name: "ix_job_state_id",
                table: "job");

            migrationBuilder.DropIndex(
                name: "ix_dataset_sha256",
                table: "dataset");

            migrationBuilder.DropPrimaryKey(
                name: "pk_artifact",
                table: "artifact");

            migrationBuilder.AlterColumn<string>(
                name: "sha256",
                table: "model",
                type: "TEXT",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT");

            migrationBuilder.AlterColumn<string>(
                name: "format",
                table: "model",
                type: "TEXT",
                maxLength: 16,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldMaxLength: 16);

            migrationBuilder.AddColumn<string>(
                name: "metadata_json",
                table: "model",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "tenant_id",
                table: "model",
                type: "TEXT",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<int>(
                name: "version",
                table: "model",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "expires_at",
                table: "job",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "lease_until",
                table: "job",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "predicted_memory_bytes",
                table: "job",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "retry_of",
                table: "job",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "tenant_id",
                table: "job",
                type: "TEXT",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<string>(
                name: "trace_parent",
                table: "job",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "worker",
                table: "job",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "tenant_id",
                table: "dataset",
                type: "TEXT",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<string>(
                name: "tenant_id",
                table: "artifact",
                type: "TEXT",
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<string>(
                name: "blob_id",
                table: "artifact",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddPrimaryKey(
                name: "pk_artifact",
                table: "artifact",
                columns: new[] { "tenant_id", "sha256" });

            migrationBuilder.CreateTable(
                name: "api_key",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false, defaultValue: "default"),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    prefix = table.Column<string>(type: "TEXT", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", nullable: false),
                    scopes = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: true),
                    last_used_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_api_key", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "artifact_chunk",
                columns: table => new
                {
                    blob_id = table.Column<string>(type: "TEXT", nullable: false),
                    offset = table.Column<long>(type: "INTEGER", nullable: false),
                    data = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_artifact_chunk", x => new { x.blob_id, x.offset });
                });

            migrationBuilder.CreateTable(
                name: "checkpoint",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false, defaultValue: "default"),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    blob_id = table.Column<string>(type: "TEXT", nullable: false),
                    bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    used_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_checkpoint", x => new { x.tenant_id, x.key });
                });

            migrationBuilder.CreateTable(
                name: "idempotency",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false, defaultValue: "default"),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    request_sha256 = table.Column<string>(type: "TEXT", nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: true),
                    headers_json = table.Column<string>(type: "TEXT", nullable: true),
                    body = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    running_until = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_idempotency", x => new { x.tenant_id, x.key });
                });

            migrationBuilder.CreateTable(
                name: "job_metadata",
                columns: table => new
                {
                    job_id = table.Column<string>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    value = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_metadata", x => new { x.job_id, x.key });
                    table.ForeignKey(
                        name: "fk_job_metadata_job_job_id",
                        column: x => x.job_id,
                        principalTable: "job",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "layer_unit",
                columns: table => new
                {
                    job_id = table.Column<string>(type: "TEXT", nullable: false),
                    token = table.Column<int>(type: "INTEGER", nullable: false),
                    stage = table.Column<string>(type: "TEXT", nullable: false),
                    layer = table.Column<int>(type: "INTEGER", nullable: false),
                    cost = table.Column<double>(type: "REAL", nullable: false),
                    worker = table.Column<string>(type: "TEXT", nullable: true),
                    lease_until = table.Column<long>(type: "INTEGER", nullable: false),
                    is_done = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_layer_unit", x => new { x.job_id, x.token, x.stage, x.layer });
                    table.ForeignKey(
                        name: "fk_layer_unit_job_job_id",
                        column: x => x.job_id,
                        principalTable: "job",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "model_part",
                columns: table => new
                {
                    model_id = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", nullable: false),
                    bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    is_main = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_model_part", x => new { x.model_id, x.name });
                    table.ForeignKey(
                        name: "fk_model_part_artifact_tenant_id_sha256",
                        columns: x => new { x.tenant_id, x.sha256 },
                        principalTable: "artifact",
                        principalColumns: new[] { "tenant_id", "sha256" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_model_part_model_model_id",
                        column: x => x.model_id,
                        principalTable: "model",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "tenant",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    webhook_secret = table.Column<string>(type: "TEXT", nullable: true),
                    previous_webhook_secret = table.Column<string>(type: "TEXT", nullable: true),
                    previous_webhook_secret_until = table.Column<long>(type: "INTEGER", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tenant", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "upload",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false, defaultValue: "default"),
                    blob_id = table.Column<string>(type: "TEXT", nullable: false),
                    length = table.Column<long>(type: "INTEGER", nullable: false),
                    offset = table.Column<long>(type: "INTEGER", nullable: false),
                    token = table.Column<int>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: true),
                    metadata = table.Column<string>(type: "TEXT", nullable: true),
                    model_id = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_upload", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_endpoint",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false, defaultValue: "default"),
                    url = table.Column<string>(type: "TEXT", nullable: false),
                    description = table.Column<string>(type: "TEXT", nullable: true),
                    events = table.Column<string>(type: "TEXT", nullable: false),
                    secret = table.Column<string>(type: "TEXT", nullable: false),
                    previous_secret = table.Column<string>(type: "TEXT", nullable: true),
                    previous_secret_until = table.Column<long>(type: "INTEGER", nullable: true),
                    disabled_reason = table.Column<string>(type: "TEXT", nullable: true),
                    failing_since = table.Column<long>(type: "INTEGER", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook_endpoint", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "delivery",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    tenant_id = table.Column<string>(type: "TEXT", nullable: false, defaultValue: "default"),
                    endpoint_id = table.Column<string>(type: "TEXT", nullable: true),
                    url = table.Column<string>(type: "TEXT", nullable: true),
                    type = table.Column<string>(type: "TEXT", nullable: false),
                    payload = table.Column<string>(type: "TEXT", nullable: false),
                    trace_parent = table.Column<string>(type: "TEXT", nullable: true),
                    state = table.Column<string>(type: "TEXT", maxLength: 16, nullable: false),
                    attempt_count = table.Column<int>(type: "INTEGER", nullable: false),
                    attempts_json = table.Column<string>(type: "TEXT", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_delivery", x => x.id);
                    table.ForeignKey(
                        name: "fk_delivery_webhook_endpoint_endpoint_id",
                        column: x => x.endpoint_id,
                        principalTable: "webhook_endpoint",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_model_tenant_id_id",
                table: "model",
                columns: new[] { "tenant_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_model_tenant_id_sha256",
                table: "model",
                columns: new[] { "tenant_id", "sha256" });

            migrationBuilder.CreateIndex(
                name: "ix_job_state_lease_until",
                table: "job",
                columns: new[] { "state", "lease_until" });

            migrationBuilder.CreateIndex(
                name: "ix_job_tenant_id_id",
                table: "job",
                columns: new[] { "tenant_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_job_tenant_id_state_id",
                table: "job",
                columns: new[] { "tenant_id", "state", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_dataset_tenant_id_id",
                table: "dataset",
                columns: new[] { "tenant_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_dataset_tenant_id_sha256",
                table: "dataset",
                columns: new[] { "tenant_id", "sha256" });

            migrationBuilder.CreateIndex(
                name: "ix_api_key_sha256",
                table: "api_key",
                column: "sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_checkpoint_used_at",
                table: "checkpoint",
                column: "used_at");

            migrationBuilder.CreateIndex(
                name: "ix_delivery_endpoint_id_id",
                table: "delivery",
                columns: new[] { "endpoint_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_delivery_state_due_at",
                table: "delivery",
                columns: new[] { "state", "due_at" });

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_created_at",
                table: "idempotency",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_job_metadata_key_value_job_id",
                table: "job_metadata",
                columns: new[] { "key", "value", "job_id" });

            migrationBuilder.CreateIndex(
                name: "ix_layer_unit_is_done_lease_until",
                table: "layer_unit",
                columns: new[] { "is_done", "lease_until" });

            migrationBuilder.CreateIndex(
                name: "ix_model_part_tenant_id_sha256",
                table: "model_part",
                columns: new[] { "tenant_id", "sha256" });

            migrationBuilder.CreateIndex(
                name: "ix_upload_expires_at",
                table: "upload",
                column: "expires_at");

            migrationBuilder.AddForeignKey(
                name: "fk_dataset_artifact_tenant_id_sha256",
                table: "dataset",
                columns: new[] { "tenant_id", "sha256" },
                principalTable: "artifact",
                principalColumns: new[] { "tenant_id", "sha256" },
                onDelete: ReferentialAction.Restrict);

            migrationBuilder.AddForeignKey(
                name: "fk_model_artifact_tenant_id_sha256",
                table: "model",
                columns: new[] { "tenant_id", "sha256" },
                principalTable: "artifact",
                principalColumns: new[] { "tenant_id", "sha256" },
                onDelete: ReferentialAction.Restrict);

            // Version 0.2 named its files by their digest.
            migrationBuilder.Sql("UPDATE artifact SET blob_id = sha256");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_dataset_artifact_tenant_id_sha256",
                table: "dataset");

            migrationBuilder.DropForeignKey(
                name: "fk_model_artifact_tenant_id_sha256",
                table: "model");

            migrationBuilder.DropTable(
                name: "api_key");

            migrationBuilder.DropTable(
                name: "artifact_chunk");

            migrationBuilder.DropTable(
                name: "checkpoint");

            migrationBuilder.DropTable(
                name: "delivery");

            migrationBuilder.DropTable(
                name: "idempotency");

            migrationBuilder.DropTable(
                name: "job_metadata");

            migrationBuilder.DropTable(
                name: "layer_unit");

            migrationBuilder.DropTable(
                name: "model_part");

            migrationBuilder.DropTable(
                name: "tenant");

            migrationBuilder.DropTable(
                name: "upload");

            migrationBuilder.DropTable(
                name: "webhook_endpoint");

            migrationBuilder.DropIndex(
                name: "ix_model_tenant_id_id",
                table: "model");

            migrationBuilder.DropIndex(
                name: "ix_model_tenant_id_sha256",
                table: "model");

            migrationBuilder.DropIndex(
                name: "ix_job_state_lease_until",
                table: "job");

            migrationBuilder.DropIndex(
                name: "ix_job_tenant_id_id",
                table: "job");

            migrationBuilder.DropIndex(
                name: "ix_job_tenant_id_state_id",
                table: "job");

            migrationBuilder.DropIndex(
                name: "ix_dataset_tenant_id_id",
                table: "dataset");

            migrationBuilder.DropIndex(
                name: "ix_dataset_tenant_id_sha256",
                table: "dataset");

            migrationBuilder.DropPrimaryKey(
                name: "pk_artifact",
                table: "artifact");

            migrationBuilder.DropColumn(
                name: "metadata_json",
                table: "model");

            migrationBuilder.DropColumn(
                name: "tenant_id",
                table: "model");

            migrationBuilder.DropColumn(
                name: "version",
                table: "model");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "job");

            migrationBuilder.DropColumn(
                name: "lease_until",
                table: "job");

            migrationBuilder.DropColumn(
                name: "predicted_memory_bytes",
                table: "job");

            migrationBuilder.DropColumn(
                name: "retry_of",
                table: "job");

            migrationBuilder.DropColumn(
                name: "tenant_id",
                table: "job");

            migrationBuilder.DropColumn(
                name: "trace_parent",
                table: "job");

            migrationBuilder.DropColumn(
                name: "worker",
                table: "job");

            migrationBuilder.DropColumn(
                name: "tenant_id",
                table: "dataset");

            migrationBuilder.DropColumn(
                name: "tenant_id",
                table: "artifact");

            migrationBuilder.DropColumn(
                name: "blob_id",
                table: "artifact");

            migrationBuilder.AlterColumn<string>(
                name: "sha256",
                table: "model",
                type: "TEXT",
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldNullable: true);

            migrationBuilder.AlterColumn<string>(
                name: "format",
                table: "model",
                type: "TEXT",
                maxLength: 16,
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldMaxLength: 16,
                oldNullable: true);

            migrationBuilder.AddPrimaryKey(
                name: "pk_artifact",
                table: "artifact",
                column: "sha256");

            migrationBuilder.CreateIndex(
                name: "ix_model_sha256",
                table: "model",
                column: "sha256");

            migrationBuilder.CreateIndex(
                name: "ix_job_state_id",
                table: "job",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_dataset_sha256",
                table: "dataset",
                column: "sha256");

            migrationBuilder.AddForeignKey(
                name: "fk_dataset_artifact_sha256",
                table: "dataset",
                column: "sha256",
                principalTable: "artifact",
                principalColumn: "sha256",
                onDelete: ReferentialAction.Restrict);

            migrationBuilder.AddForeignKey(
                name: "fk_model_artifact_sha256",
                table: "model",
                column: "sha256",
                principalTable: "artifact",
                principalColumn: "sha256",
                onDelete: ReferentialAction.Restrict);
        }
    }
}
