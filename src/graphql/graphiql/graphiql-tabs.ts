/** A ready-made tab of GraphiQL. */
export interface Tab {
  query: string;
  variables?: string;
}

/** Examples that run as they stand in the demo shop. Each says at its head what it shows, and what to do next. */
export const tabs: readonly Tab[] = [
  {
    query: `# What is for sale, and how much of it now.
# Run it, then go on to the next tab.
query Browse {
  products(first: 5) {
    nodes {
      title
      variants {
        sku
        title
        price {
          amount
          currencyCode
        }
        available
      }
    }
  }
}
`,
  },
  {
    query: `# Puts two jars in your cart, and holds them
# until expiresAt. Run it again for more, then
# go on to CheckOut.
mutation AddToCart {
  cartLinesAdd(
    input: {
      lines: [{ sku: "ACACIA-250", quantity: 2 }]
    }
  ) {
    cart {
      id
      token
      expiresAt
      total {
        amount
        currencyCode
      }
      lines {
        quantity
        variant {
          sku
          available
        }
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    query: `# Stock as it changes. Run it and leave it so.
# Open this page in a second browser tab, run
# AddToCart there, and see the level fall here.
subscription WatchStock {
  stockChanged {
    cursor
    occurredAt
    available
    previousAvailable
    variant {
      sku
      product {
        title
      }
    }
  }
}
`,
  },
  {
    query: `# Buys what is in your cart. Sent again with
# the same key (below, under Variables) it gives
# the same order. For another order fill the
# cart again, and change the key.
mutation CheckOut($key: String!) {
  checkout(
    input: {
      idempotencyKey: $key
      email: "ada@example.com"
    }
  ) {
    order {
      number
      accessToken
      status
      total {
        amount
        currencyCode
      }
      lines {
        title
        quantity
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: JSON.stringify({ key: 'my-first-order' }, null, 2),
  },
  {
    query: `# Finds an order by number and e-mail address.
# Put the number that CheckOut gave you below,
# under Variables.
query LookUpOrder($number: String!) {
  order(number: $number, email: "ada@example.com") {
    number
    status
    placedAt
    total {
      amount
      currencyCode
    }
    lines {
      title
      quantity
      total {
        amount
      }
    }
  }
}
`,
    variables: JSON.stringify({ number: '1001' }, null, 2),
  },
  {
    query: `# Lets you in as the one who runs the shop. The
# password is in the file admin-password, where
# the shop keeps its data: put it below, under
# Variables. Then go on to RunTheShop.
mutation LogIn($password: String!) {
  login(
    input: {
      email: "admin@example.com"
      password: $password
    }
  ) {
    user {
      name
      role
    }
    errors {
      code
      message
    }
  }
}
`,
    variables: JSON.stringify({ password: 'see .data/admin-password' }, null, 2),
  },
  {
    query: `# What only staff see: orders, what is on hand
# and held, who changed what, and whether the
# books are in order.
query RunTheShop {
  orders(first: 5) {
    totalCount
    nodes {
      number
      status
      paymentStatus
      total {
        amount
      }
      lines {
        title
        quantity
        variant {
          onHand
          held
        }
      }
    }
  }
  staffActions(first: 5) {
    nodes {
      kind
      occurredAt
      actor {
        name
      }
    }
  }
  inventoryAudit {
    checkedVariants
    discrepancies {
      rule
    }
  }
}
`,
  },
];
