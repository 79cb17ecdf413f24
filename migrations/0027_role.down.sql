DROP FUNCTION browse_event_drop(date);
ALTER FUNCTION browse_event_month(date) SECURITY INVOKER RESET search_path;
