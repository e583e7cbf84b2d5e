"""The shop's tables, and what is on its shelves on the first day.  Money is in whole cents."""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "PRODUCTS", "TABLES", "VERSION"]

APPLICATION_ID: Final = 0x53484F50  # "SHOP"
VERSION: Final = 1

# product_id, name, price in cents, stock
PRODUCTS: Final = (
    ("widget", "Widget", 1_250, 500),
    ("gadget", "Gadget", 4_900, 200),
    ("gizmo", "Gizmo, last season's", 799, 3),
    ("unobtainium", "Unobtainium, 1 g", 99_900, 0),
)

# A purchase is one order in one execution: the same order placed again is another purchase.
TABLES: Final = (
    """
    CREATE TABLE products (
        product_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        price_cents INTEGER NOT NULL CHECK (price_cents > 0),
        stock INTEGER NOT NULL CHECK (stock >= 0)  -- what can still be sold: without what is reserved
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE orders (
        purchase_id TEXT PRIMARY KEY,
        order_id TEXT NOT NULL,
        execution_arn TEXT NOT NULL,
        document TEXT NOT NULL,  -- the order as it was placed
        payment_token TEXT NOT NULL,
        total_cents INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN
            ('VALIDATED', 'RESERVED', 'PAID', 'FULFILLED', 'REFUNDED', 'FAILED')),
        created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE order_lines (
        purchase_id TEXT NOT NULL REFERENCES orders,
        product_id TEXT NOT NULL REFERENCES products,
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        state TEXT NOT NULL CHECK (state IN ('REQUESTED', 'RESERVED', 'RELEASED', 'SHIPPED')),
        PRIMARY KEY (purchase_id, product_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE payments (
        purchase_id TEXT PRIMARY KEY REFERENCES orders,
        charge_id TEXT NOT NULL UNIQUE,
        amount_cents INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN
            ('UNANSWERED', 'REFUSED', 'HELD', 'CAPTURED', 'RELEASED', 'REFUNDED'))
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE refunds (
        refund_id TEXT PRIMARY KEY,
        purchase_id TEXT NOT NULL UNIQUE REFERENCES orders,
        charge_id TEXT NOT NULL REFERENCES payments (charge_id),
        amount_cents INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE shipments (
        purchase_id TEXT PRIMARY KEY REFERENCES orders,
        tracking_number TEXT NOT NULL UNIQUE
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE notifications (
        notification_id INTEGER PRIMARY KEY,
        order_id TEXT,  -- NULL where the error names none
        execution_arn TEXT NOT NULL,
        error TEXT,
        reason TEXT NOT NULL,
        created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    )
    """,
    """
    CREATE TABLE outcomes (
        task TEXT NOT NULL,
        key TEXT NOT NULL,
        event TEXT NOT NULL,  -- SHA-256 of the event that came with the key
        error TEXT,  -- the name of the failure, NULL for a success
        outcome TEXT NOT NULL,  -- the result as JSON, or the failure's message
        PRIMARY KEY (task, key)
    ) WITHOUT ROWID
    """,
)
