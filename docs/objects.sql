-- The keys of all objects that rows refer to, one a line (docs/operations.md, "Backup and restore"). As a superuser, or
-- with BYPASSRLS and pg_read_all_data: row-level security hides every tenant from everybody else.
select object_key from data_export.file_definition where object_key is not null
union select object_key from data_export.slice where object_key is not null
union select oversize_key from data_export.slice where oversize_key is not null
union select object_key from data_import.upload_file where object_key is not null
union select object_key from data_import.job_chunk
union select content_key from data_import.job_execution where content_key is not null
union select origin_key from data_import.job_execution where origin_key is not null
union select object_key from source_record_storage.original
union select object_key from source_record_storage.record_raw where object_key is not null
union select outcome #>> '{saved,errorsKey}' from source_record_storage.inbox where outcome #>> '{saved,errorsKey}' is not null
order by 1;
